<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Worker;

use AgentWorkers\Event\Aborted;
use AgentWorkers\Event\Delta;
use AgentWorkers\Event\Done;
use AgentWorkers\Event\Event;
use AgentWorkers\Event\Session;
use AgentWorkers\Event\Start;
use AgentWorkers\Event\ToolResult;
use AgentWorkers\Exception\RunFailedException;
use AgentWorkers\Request;
use AgentWorkers\Tests\Workers;
use PHPUnit\Framework\TestCase;

/** The real worker with its engine messages, and its simulator in place of the API. */
final class MessagesTest extends TestCase
{
    use Workers;

    private const FIND = ['type' => 'object', 'properties' => ['name' => ['type' => 'string']]];

    public function testItTellsTheSameEventsAsAnAgentAndSaysWhatItIs(): void
    {
        $events = self::events($this->agentChat('hello')->stream(self::messages()->maxTokens(2_000)));
        [$start, $session] = $events;
        $done = end($events);
        self::assertInstanceOf(Start::class, $start);
        self::assertInstanceOf(Session::class, $session);
        self::assertInstanceOf(Done::class, $done);
        self::assertSame(['messages', 'none'], [$start->engine, $session->cliVersion]);
        self::assertSame($done->text, self::text($events));
        self::assertGreaterThan(0, $done->costUsd);
    }

    public function testItCallsTheToolsOfTheApplication(): void
    {
        $request = self::messages()->appTool(
            'find_partner',
            'Finds a partner.',
            self::FIND,
            static fn (array $input): string => "{$input['name']} is in Köln",
        );
        $scenario = $this->scenario(['mcp__app__find_partner', ['name' => 'Acme']]);
        $events = self::events($this->agentChat($scenario)->stream($request));
        $isResult = static fn (Event $event): bool => $event instanceof ToolResult;
        $results = array_column(array_filter($events, $isResult), 'content');
        self::assertSame(['Acme is in Köln'], $results);
        self::assertSame('All done. Acme is in Köln', end($events)->text);
    }

    public function testASessionGoesOnWithItsEngineOnly(): void
    {
        $first = $this->agentChat('hello')->run(self::messages());
        $resumed = self::request()->session(resume: $first->sessionId);
        $second = $this->agentChat('hello')->run($resumed->engine('messages'));
        self::assertSame($first->sessionId, $second->sessionId);
        try {
            $this->agentChat('hello')->run($resumed->engine('agent'));
            self::fail('Another engine has resumed it.');
        } catch (RunFailedException $failure) {
            self::assertSame('session_not_found', $failure->event->code);
            self::assertStringContainsString('messages', $failure->getMessage());
        }
    }

    public function testWhatItCannotDoIsNamed(): void
    {
        $request = self::messages()->cwd($this->directory())->tools(['Bash']);
        try {
            $this->agent('agent-task', 'hello')->run($request);
            self::fail('It was not refused.');
        } catch (RunFailedException $failure) {
            self::assertSame('invalid_request', $failure->event->code);
            self::assertSame(['/engine', '/tools'], array_column($failure->event->details, 'pointer'));
        }
    }

    public function testItFailsAndIsAbortedAsAnAgentIs(): void
    {
        try {
            $this->agentChat('rate-limited-429')->run(self::messages());
            self::fail('There was no failure.');
        } catch (RunFailedException $failure) {
            self::assertSame(['rate_limited', true], [$failure->event->code, $failure->isRetryable()]);
        }
        $run = $this->agentChat('slow')->stream(self::messages());
        foreach ($run as $event) {
            $event instanceof Delta && $run->abort();
        }
        self::assertInstanceOf(Aborted::class, $event);
        self::assertSame(3, $run->exitCode());
    }

    private static function messages(): Request
    {
        return self::request()->engine('messages');
    }
}

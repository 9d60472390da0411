<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Worker;

use AgentWorkers\Event\Aborted;
use AgentWorkers\Event\Ack;
use AgentWorkers\Event\Delta;
use AgentWorkers\Event\Done;
use AgentWorkers\Event\Event;
use AgentWorkers\Exception\RunFailedException;
use AgentWorkers\Request;
use AgentWorkers\Tests\Workers;
use PHPUnit\Framework\TestCase;
use Symfony\Component\Process\Process;

/** The real worker, with its simulator in place of the API. */
final class AgentChatTest extends TestCase
{
    use Workers;

    /** @var array{list<Event>, list<Event>}|null the events of a run, and of one that continues its conversation */
    private static ?array $runs = null;

    public function testItAnswers(): void
    {
        [$events] = $this->runs();
        $done = end($events);

        self::assertInstanceOf(Done::class, $done);
        self::assertStringEndsWith('Hello, wörld 😀', $done->text);
        self::assertSame('end_turn', $done->stopReason);
        self::assertGreaterThan(0, $done->usage->outputTokens);
    }

    public function testItsDeltasAreItsAnswer(): void
    {
        [, $events] = $this->runs();
        $done = end($events);

        self::assertInstanceOf(Done::class, $done);
        self::assertSame($done->text, self::text($events));
        self::assertSame(range(1, count($events)), array_column($events, 'seq'));
    }

    public function testItKeepsTheRunAndWhatTheRequestIsAbout(): void
    {
        [$events] = $this->runs();

        self::assertSame(['order:42'], array_values(array_unique(array_column($events, 'run'))));
        self::assertSame(7, end($events)->metadata['user']);
        self::assertSame(['type' => 'partner', 'id' => '417'], $events[0]->subject);
        self::assertSame('Say hello.', end($events)->goal);
        self::assertStringContainsString('"empty":{}', end($events)->toJson());
    }

    public function testItContinuesAConversation(): void
    {
        [$first, $second] = $this->runs();

        self::assertSame(end($first)->sessionId, end($second)->sessionId);
    }

    /** @return array{list<Event>, list<Event>} */
    private function runs(): array
    {
        return self::$runs ??= (function (): array {
            $hello = Request::prompt('Hello, wörld 😀')->run('order:42')
                ->metadata(['user' => 7, 'empty' => new \stdClass()])->subject('partner', 417)->goal('Say hello.');
            $first = self::events($this->agentChat('hello')->stream($hello));
            $next = Request::prompt('Who am I?')->session(resume: end($first)->sessionId);

            return [$first, self::events($this->agentChat('unicode')->stream($next))];
        })();
    }

    /** @dataProvider failures */
    public function testItFailsWithATypedException(string $scenario, string $code): void
    {
        try {
            $this->agentChat($scenario)->run(self::request());
            self::fail('There was no failure.');
        } catch (RunFailedException $failure) {
            self::assertSame($code, $failure->event->code);
            self::assertTrue($failure->isRetryable());
            self::assertSame($failure->event->message, $failure->getMessage());
        }
    }

    /** @return iterable<string, array{string, string}> */
    public static function failures(): iterable
    {
        yield '500' => ['server-error-500', 'server_error'];
        yield '429' => ['rate-limited-429', 'rate_limited'];
    }

    public function testItNamesEveryProblemOfARefusedRequest(): void
    {
        $run = $this->agentChat('hello')->stream(self::request()->with('systemPrompt', 'x')->with('max_turns', 0));
        $event = self::events($run)[0];

        self::assertSame('invalid_request', $event->code);
        self::assertEqualsCanonicalizing(['/systemPrompt', '/max_turns'], array_column($event->details, 'pointer'));
        self::assertSame(2, $run->exitCode());
    }

    public function testItAbortsWhenAsked(): void
    {
        $run = $this->agentChat('slow')->stream(self::request());
        $acked = false;
        foreach ($run as $event) {
            $event instanceof Delta && $run->abort();
            $acked = $acked || ($event instanceof Ack && $event->ok);
        }

        self::assertTrue($acked);
        self::assertInstanceOf(Aborted::class, $event);
        self::assertSame('client', $event->reason);
        self::assertSame(3, $run->exitCode());
    }

    public function testItStopsWhenTheLoopIsLeft(): void
    {
        $process = null;
        $runner = $this->agentChat('slow')->configureProcess(static function (Process $it) use (&$process): void {
            $process = $it;
        });
        foreach ($runner->stream(self::request()) as $event) {
            if ($event instanceof Delta) {
                break;
            }
        }

        self::assertFalse($process->isRunning());
        self::assertSame(3, $process->getExitCode());
    }

    public function testItsTimeLimitIsItsOwn(): void
    {
        $run = $this->agentChat('slow')->stream(self::request()->limits(timeoutS: 1.5));
        $events = self::events($run);

        self::assertSame('timeout', end($events)->code);
        self::assertSame(1, $run->exitCode());
    }
}

<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Worker;

use AgentWorkers\Event\Aborted;
use AgentWorkers\Event\Delta;
use AgentWorkers\Event\Done;
use AgentWorkers\PoolRunner;
use AgentWorkers\ProcessRunner;
use AgentWorkers\Request;
use AgentWorkers\Tests\Workers;
use PHPUnit\Framework\TestCase;
use Symfony\Component\Process\Process;

/** Runs over `agent-workers pool`; the simulator is what its agents take for the API. */
final class RealPoolTest extends TestCase
{
    use Workers;

    /** @var list<Process> */
    private array $servers = [];

    /** @after */
    protected function endServers(): void
    {
        foreach (array_reverse($this->servers) as $server) {
            $server->stop(30);
        }
    }

    public function testAChatIsServedByAnAgentThatWasStartedAhead(): void
    {
        $run = $this->pool('hello')->stream(Request::prompt('Hello'));
        $events = self::events($run);

        self::assertSame('warm', $events[0]->warm);
        self::assertInstanceOf(Done::class, end($events));
        self::assertStringContainsString('You said: Hello', self::text($events));
        self::assertSame(0, $run->exitCode());
        self::assertSame('', $run->stderr());
    }

    public function testTheNextMessageOfAConversationGoesOnInIt(): void
    {
        $runner = $this->pool('hello');
        $first = $runner->run(Request::prompt('My name is Ada.'));
        $events = self::events($runner->stream(Request::prompt('Who am I?')->session(resume: $first->sessionId)));

        self::assertContains($events[0]->warm, ['live', 'cold']);
        self::assertSame($first->sessionId, end($events)->sessionId);
        self::assertStringContainsString('You said: Who am I?', self::text($events));
    }

    public function testAConversationThatThePoolBeganGoesOnInAProcess(): void
    {
        $runner = $this->pool('hello');
        $first = $runner->run(Request::prompt('My name is Ada.'));
        $this->servers[1]->stop(30);
        $last = $runner->run(Request::prompt('Who am I?')->session(resume: $first->sessionId));

        self::assertSame($first->sessionId, $last->sessionId);
    }

    public function testAnAbortEndsTheRunAndLeavesNothing(): void
    {
        $run = $this->pool('slow')->stream(Request::prompt('Go on.'));
        foreach ($run as $event) {
            $event instanceof Delta && $run->abort();
        }

        self::assertInstanceOf(Aborted::class, $event);
        self::assertSame('client', $event->reason);
        self::assertSame(3, $run->exitCode());
    }

    public function testLeavingTheLoopStopsTheAgent(): void
    {
        $runner = $this->pool('slow');
        foreach ($runner->stream(Request::prompt('Go on.')) as $event) {
            if ($event instanceof Delta) {
                break;
            }
        }

        self::assertSame(0, $this->busy());
    }

    public function testAToolOfTheApplicationIsCalled(): void
    {
        $runner = $this->pool($this->scenario(['mcp__app__weather', ['city' => 'Graz']]));
        $schema = ['type' => 'object', 'properties' => ['city' => ['type' => 'string']]];
        $weather = static fn (array $input): string => "sunny in {$input['city']}";
        $done = $runner->run(Request::prompt('How is it?')->appTool('weather', 'Weather.', $schema, $weather));

        self::assertStringContainsString('sunny in Graz', $done->text);
    }

    public function testARequestOfAMegabyteIsServed(): void
    {
        $done = $this->pool('hello')->run(Request::prompt('Hello')->systemPrompt(str_repeat('Be brief. ', 10_000)));

        self::assertSame('end_turn', $done->stopReason);
    }

    public function testWhatThePoolRefusesIsTold(): void
    {
        $events = self::events($this->pool('hello')->name('nobody')->stream(Request::prompt('Hello')));

        self::assertSame('invalid_request', end($events)->code);
    }

    private function pool(string $scenario): PoolRunner
    {
        $environment = [
            'HOME' => $this->directory(),
            'AGENT_WORKERS_STATE_DIR' => $this->directory() . '/state',
            'ANTHROPIC_API_KEY' => 'simulated',
        ];
        $simulator = $this->serve(['simulate', "--scenario=$scenario"], []);
        $simulator->waitUntil(static fn (string $type, string $bytes): bool => str_contains($bytes, "\n"));
        [$name, $url] = explode('=', trim($simulator->getOutput()), 2);
        $environment[$name] = $url;
        $this->serve(['pool', '--socket', $this->socket(), '--min-idle=1'], $environment);
        self::eventually(fn (): bool => $this->status('idle') === 1, 'The pool did not come up.');
        $process = (new ProcessRunner($this->binary('agent-chat')))->inheritEnv()->env($environment);

        return new PoolRunner($this->socket(), 'agent-chat', $process);
    }

    /**
     * @param list<string> $words
     * @param array<string, string> $environment
     */
    private function serve(array $words, array $environment): Process
    {
        $unset = array_fill_keys(array_keys(getenv() + $_ENV + $_SERVER), false);
        $path = ['PATH' => getenv('PATH')];
        $server = new Process([$this->binary('agent-workers'), ...$words], null, $environment + $path + $unset);
        $server->start();

        return $this->servers[] = $server;
    }

    private function socket(): string
    {
        return $this->directory() . '/pool.sock';
    }

    private function busy(): int
    {
        return $this->status('busy') ?? -1;
    }

    private function status(string $figure): ?int
    {
        $socket = @stream_socket_client("unix://{$this->socket()}");
        if ($socket === false) {
            return null;
        }
        fwrite($socket, "{\"pool\": 1, \"status\": true}\n");

        return json_decode((string) fgets($socket), true)['pools']['default'][$figure] ?? null;
    }
}

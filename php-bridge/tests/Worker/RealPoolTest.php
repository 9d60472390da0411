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
    private static array $shared = [];
    private static ?string $home = null;
    /** @var list<Process> */
    private array $servers = [];

    public static function tearDownAfterClass(): void
    {
        self::end(self::$shared);
        self::$home === null || (new Process(['rm', '-rf', self::$home]))->mustRun();
    }

    /** @after */
    protected function endServers(): void
    {
        self::end($this->servers);
    }

    public function testAChatIsServedByAnAgentThatWasStartedAhead(): void
    {
        $run = $this->shared()->stream(Request::prompt('Hello'));
        $events = self::events($run);

        self::assertSame('warm', $events[0]->warm);
        self::assertInstanceOf(Done::class, end($events));
        self::assertStringContainsString('You said: Hello', self::text($events));
        self::assertSame(0, $run->exitCode());
        self::assertSame('', $run->stderr());
    }

    public function testTheNextMessageOfAConversationGoesOnInIt(): void
    {
        $runner = $this->shared();
        $first = $runner->run(Request::prompt('My name is Ada.'));
        $events = self::events($runner->stream(Request::prompt('Who am I?')->session(resume: $first->sessionId)));

        self::assertContains($events[0]->warm, ['live', 'cold']);
        self::assertSame($first->sessionId, end($events)->sessionId);
        self::assertStringContainsString('You said: Who am I?', self::text($events));
    }

    public function testAConversationThatThePoolBeganGoesOnInAProcess(): void
    {
        $runner = $this->ownPool('hello');
        $first = $runner->run(Request::prompt('My name is Ada.'));
        end($this->servers)->stop(30);
        $last = $runner->run(Request::prompt('Who am I?')->session(resume: $first->sessionId));

        self::assertSame($first->sessionId, $last->sessionId);
    }

    public function testAnAbortEndsTheRunAndLeavesNothing(): void
    {
        $run = $this->shared()->stream(Request::prompt('Go on. [[scenario:slow]]'));
        foreach ($run as $event) {
            $event instanceof Delta && $run->abort();
        }

        self::assertInstanceOf(Aborted::class, $event);
        self::assertSame('client', $event->reason);
        self::assertSame(3, $run->exitCode());
    }

    public function testLeavingTheLoopStopsTheAgent(): void
    {
        $runner = $this->shared();
        foreach ($runner->stream(Request::prompt('Go on. [[scenario:slow]]')) as $event) {
            if ($event instanceof Delta) {
                break;
            }
        }

        self::assertSame(0, self::figure('busy', self::$home . '/pool.sock'));
    }

    public function testAToolOfTheApplicationIsCalled(): void
    {
        $runner = $this->ownPool($this->scenario(['mcp__app__weather', ['city' => 'Graz']]));
        $schema = ['type' => 'object', 'properties' => ['city' => ['type' => 'string']]];
        $weather = static fn (array $input): string => "sunny in {$input['city']}";
        $done = $runner->run(Request::prompt('How is it?')->appTool('weather', 'Weather.', $schema, $weather));

        self::assertStringContainsString('sunny in Graz', $done->text);
    }

    public function testARequestOfAMegabyteIsServed(): void
    {
        $done = $this->shared()->run(Request::prompt('Hello')->systemPrompt(str_repeat('Be brief. ', 10_000)));

        self::assertSame('end_turn', $done->stopReason);
    }

    public function testWhatThePoolRefusesIsTold(): void
    {
        $events = self::events($this->shared()->name('nobody')->stream(Request::prompt('Hello')));

        self::assertSame('invalid_request', end($events)->code);
    }

    /** The runner of a pool for many tests. */
    private function shared(): PoolRunner
    {
        self::$home ??= sys_get_temp_dir() . '/php-bridge-pool-' . bin2hex(random_bytes(6));
        is_dir(self::$home) || mkdir(self::$home, 0700);

        return $this->pool('hello', self::$home, self::$shared);
    }

    private function ownPool(string $scenario): PoolRunner
    {
        return $this->pool($scenario, $this->directory(), $this->servers);
    }

    /** @param list<Process> $servers gets the simulator and the pool, where they do not run yet */
    private function pool(string $scenario, string $home, array &$servers): PoolRunner
    {
        if ($servers === []) {
            $servers[] = $simulator = $this->serve(['simulate', "--scenario=$scenario"], []);
            $simulator->waitUntil(static fn (string $type, string $bytes): bool => str_contains($bytes, "\n"));
        }
        $environment = [
            'HOME' => $home,
            'AGENT_WORKERS_STATE_DIR' => "$home/state",
            'ANTHROPIC_API_KEY' => 'simulated',
            'ANTHROPIC_BASE_URL' => substr(trim($servers[0]->getOutput()), strlen('ANTHROPIC_BASE_URL=')),
        ];
        if (count($servers) === 1) {
            $servers[] = $this->serve(['pool', '--socket', "$home/pool.sock", '--min-idle=1'], $environment);
        }
        self::eventually(static fn (): bool => self::figure('idle', "$home/pool.sock") === 1, 'No agent came up.');
        $process = (new ProcessRunner($this->binary('agent-chat')))->inheritEnv()->env($environment);

        return new PoolRunner("$home/pool.sock", 'agent-chat', $process);
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
        $server->setTimeout(null)->start();

        return $server;
    }

    /** @param list<Process> $servers */
    private static function end(array &$servers): void
    {
        foreach (array_reverse($servers) as $server) {
            $server->stop(30);
        }
        $servers = [];
    }

    private static function figure(string $name, string $path): ?int
    {
        $socket = @stream_socket_client("unix://$path");
        if ($socket === false) {
            return null;
        }
        fwrite($socket, "{\"pool\": 1, \"status\": true}\n");

        return json_decode((string) fgets($socket), true)['pools']['default'][$name] ?? null;
    }
}

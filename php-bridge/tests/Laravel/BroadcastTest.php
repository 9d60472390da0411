<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Event\Delta;
use AgentWorkers\Event\EventFactory;
use AgentWorkers\Laravel\Broadcast\BroadcastRun;
use AgentWorkers\Laravel\Broadcast\Frames;
use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Testing\Script;
use Illuminate\Broadcasting\Broadcasters\Broadcaster;
use Illuminate\Broadcasting\BroadcastManager;
use Illuminate\Broadcasting\BroadcastServiceProvider;
use Illuminate\Broadcasting\PrivateChannel;
use Illuminate\Support\Facades\Bus;

/** Runs that are told on the application's channels. */
final class BroadcastTest extends FleetTestCase
{
    /** @var list<array{list<string>, string, array<string, mixed>}> */
    private array $sent = [];
    private int $failures = 0;

    protected function setUp(): void
    {
        parent::setUp();
        $this->app->register(BroadcastServiceProvider::class);
        config(['broadcasting.default' => 'test', 'broadcasting.connections.test' => ['driver' => 'test']]);
        $take = function (array $channels, string $event, array $payload): void {
            if ($this->failures-- > 0) {
                throw new \RuntimeException('The broadcaster is down.');
            }
            $this->sent[] = [$channels, $event, $payload];
        };
        $all = $this->app->make(BroadcastManager::class);
        $all->extend('test', static fn () => new class ($take) extends Broadcaster {
            public function __construct(private \Closure $take)
            {
            }

            public function auth($request)
            {
                return true;
            }

            public function validAuthenticationResponse($request, $result)
            {
                return $result;
            }

            /** @param array<string, mixed> $payload */
            public function broadcast(array $channels, $event, array $payload = [])
            {
                ($this->take)($channels, $event, $payload);
            }
        });
    }

    public function testARunOfAProcessIsToldOnItsChannels(): void
    {
        Agent::fake('One two three.');
        config(['agent-workers.workers.chat.fleet' => false]);
        Agent::chat('Hello')->broadcastOn(new PrivateChannel('runs.7'), 'all')->run();
        self::assertSame([[['private-runs.7', 'all'], 'agent.event']], self::unique($this->sent));
        self::assertSame('done', end($this->sent)[2]['type']);
        self::assertSame('One two three.', $this->text());
        self::assertLessThan(6, count($this->sent), 'deltas that come at once are one frame');
    }

    public function testARunThatIsLeftHasATerminalEventAllTheSame(): void
    {
        Agent::fake('One two three.');
        config(['agent-workers.workers.chat.fleet' => false]);
        foreach (Agent::chat('Hello')->broadcastOn('all')->events() as $event) {
            if ($event instanceof Delta) {
                break;
            }
        }
        self::assertSame('aborted', end($this->sent)[2]['type']);
    }

    public function testAQueuedRunIsToldToo(): void
    {
        Agent::fake('Hi');
        config(['agent-workers.workers.chat.fleet' => false]);
        Agent::chat('Hello')->broadcastOn('all')->dispatch();
        self::assertSame('done', end($this->sent)[2]['type']);
    }

    public function testARunOfTheFleetIsToldFromTheQueue(): void
    {
        Bus::fake();
        $accepted = Agent::chat('Hello')->broadcastOn('all')->dispatch();
        Bus::assertDispatched(BroadcastRun::class, static fn (BroadcastRun $job): bool => $job->run === $accepted->run);
        $this->beginRun($accepted->run);
        $this->writeRun($accepted->run, [self::START, ['delta', ['text' => 'Hi', 'block' => 1]], self::DONE]);
        $this->serve(new BroadcastRun($accepted->run, ['all']));
        self::assertSame(['start', 'delta', 'done'], array_column(array_column($this->sent, 2), 'type'));
        $run = $accepted->run;
        self::assertSame(["$run:1", "$run:2", "$run:3"], array_column(array_column($this->sent, 2), 'id'));
        $this->serve(new BroadcastRun($accepted->run, ['all']));
        self::assertCount(3, $this->sent, 'a second try sends nothing again');
    }

    public function testWhatAProcessLeavesAJobGoesOnWith(): void
    {
        Bus::fake();
        $machine = $this->workInBackground('start delta');
        foreach (($run = Agent::chat('Hello')->broadcastOn('all')->events()) as $event) {
            if ($event instanceof Delta) {
                break;
            }
        }
        $machine->wait();
        $jobs = Bus::dispatched(BroadcastRun::class);
        self::assertSame(['1-2'], $jobs->map(static fn (BroadcastRun $job): string => $job->after)->all());
        $this->writeRun($run->id, [self::DONE], 3);
        $this->serve($jobs[0]);
        self::assertSame(['start', 'delta', 'done'], array_column(array_column($this->sent, 2), 'type'));
    }

    public function testNoFrameIsLongerThanTenKilobytesAndNoWordIsLost(): void
    {
        $frames = [];
        $maker = new Frames(static function (array $frame) use (&$frames): void {
            $frames[] = $frame;
        });
        $said = '';
        $seq = 0;
        foreach (["\u{1F44D}", 'ä', "\u{7}", 'a', '"\\'] as $character) {
            foreach ([3, 400, 30_000] as $times) {
                $said .= $text = str_repeat($character, $times);
                $maker->add(EventFactory::compose('r', ++$seq, 'delta', ['text' => $text, 'block' => 1]));
            }
        }
        $result = ['tool_use_id' => 't', 'status' => 'ok', 'content' => str_repeat('x', 20_000)];
        $maker->add(EventFactory::compose('r', ++$seq, 'tool_result', $result));
        $maker->add(EventFactory::compose('r', ++$seq, 'done', ['text' => $said] + self::DONE[1]));
        self::assertLessThan(10_000, max(array_map(static fn (array $one): int => strlen(json_encode($one)), $frames)));
        $deltas = array_filter($frames, static fn (array $frame): bool => $frame['type'] === 'delta');
        self::assertSame($said, implode('', array_column($deltas, 'text')));
        [$tool, $done] = array_slice($frames, -2);
        self::assertSame(['tool_result', 'ok', ['content']], [$tool['type'], $tool['status'], $tool['omitted']]);
        self::assertSame(['done', ['text'], 'end_turn'], [$done['type'], $done['omitted'], $done['stop_reason']]);
        $numbers = array_column($frames, 'seq');
        $sorted = $numbers;
        sort($sorted);
        self::assertSame($sorted, $numbers);
    }

    public function testABroadcasterThatFailsHarmsNoRunAndGetsTheEndAgain(): void
    {
        Agent::fake(Script::text('Hi'));
        config(['agent-workers.workers.chat.fleet' => false]);
        $this->failures = 3;
        self::assertSame('Hi', Agent::chat('Hello')->broadcastOn('all')->run()->text);
        self::assertSame('done', end($this->sent)[2]['type']);
    }

    private function serve(BroadcastRun $job): void
    {
        $this->app->call($job->handle(...));
    }

    private function text(): string
    {
        $frames = array_column($this->sent, 2);

        return implode('', array_column(array_filter($frames, static fn ($one) => $one['type'] === 'delta'), 'text'));
    }

    /**
     * @param list<array{list<string>, string, array<string, mixed>}> $sent
     *
     * @return list<mixed>
     */
    private static function unique(array $sent): array
    {
        $heads = array_map(static fn (array $one): array => [$one[0], $one[1]], $sent);

        return array_values(array_unique($heads, SORT_REGULAR));
    }
}

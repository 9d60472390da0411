<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Laravel\Facades\Agent;
use Illuminate\Support\Facades\Artisan;
use Illuminate\Support\Facades\DB;

/** The application's tools for runs of the fleet: by whoever reads the run, else by `agent:fleet-tools`. */
final class FleetToolsTest extends FleetTestCase
{
    private const CALLS = 'agent-workers:calls';
    private const GROUP = 'tools:laravel';

    /** @var list<mixed> */
    private array $done = [];
    /** The run that ends when its tool has been run. */
    private ?string $ending = null;

    protected function setUp(): void
    {
        parent::setUp();
        config(['agent-workers.workers.chat.app_tools' => ['find']]);
        Agent::tool('find', 'Finds a partner.', ['type' => 'object'], function (array $input): string {
            $this->done[] = $input['name'] ?? null;
            $this->ending === null || $this->writeRun($this->ending, [self::DONE], 3);

            return "Found {$input['name']}.";
        });
    }

    public function testACallOfARunThatNobodyReadsIsAnswered(): void
    {
        $run = $this->calling();
        $this->serve();
        [$told] = $this->told($run);
        self::assertSame(['app_tool_result', 'c', 'Found Acme.'], [$told['type'], $told['call_id'], $told['content']]);
        $this->serve();
        self::assertSame(['Acme'], $this->done);
        self::assertSame(0, $this->pending());
    }

    public function testACallIsRunByOneOfTheRelayAndTheDaemon(): void
    {
        $this->ending = $this->calling();
        $this->follow($this->ending)->assertOk()->streamedContent();
        self::assertSame(['Acme'], $this->done);
        $this->serve();
        self::assertSame(['Acme'], $this->done);
    }

    public function testWhoComesBackToARunAnswersWhatIsOpenThere(): void
    {
        $this->ending = $this->calling();
        $this->follow($this->ending, 2)->assertOk()->streamedContent();
        self::assertSame(['Acme'], $this->done);
    }

    public function testWhoReadsARunThatIsOverRunsNothing(): void
    {
        $run = $this->calling();
        $this->writeRun($run, [self::DONE], 3);
        $this->follow($run)->assertOk()->streamedContent();
        self::assertSame([], $this->done);
    }

    public function testAViewersProcessRunsNoTools(): void
    {
        $run = $this->calling();
        $this->writeRun($run, [self::DONE], 3);
        $this->asVisitor('Eve');
        Agent::viewersUsing(static fn (): bool => true);
        $this->follow($run)->assertOk()->streamedContent();
        self::assertSame([], $this->done);
    }

    public function testCallsThatNobodyWaitsForAreNotRun(): void
    {
        $this->calling(['expires_at' => '2020-01-01T00:00:00.000Z']);
        $lost = $this->calling();
        $this->rule('requeue', [$lost, 1, 'test/0', 0, 1, 0, '']);
        $over = $this->calling();
        $this->writeRun($over, [self::DONE], 3);
        $this->calling(['name' => 'of_another_application']);
        $this->serve();
        self::assertSame([], $this->done);
        self::assertSame(0, $this->pending());
    }

    public function testAnAbandonedCallIsRunByAnotherProcessUnlessItHadBegun(): void
    {
        $untouched = $this->calling();
        $this->abandon();
        $this->serve();
        self::assertSame(['Acme'], $this->done);
        self::assertCount(1, $this->told($untouched));
        $begun = $this->calling();
        $this->machine()->set("agent-workers:run:{{$begun}}:call:1:t", 'the other');
        $this->abandon();
        $this->serve();
        self::assertSame(['Acme'], $this->done, 'nobody knows what the other has done');
        self::assertSame(0, $this->pending());
    }

    public function testAnAbandonedCallThatTakesEffectOnceIsAnsweredAllTheSame(): void
    {
        $this->prepare();
        $first = $this->calling(['name' => 'pay']);
        $this->serve();
        $second = $this->calling(['name' => 'pay']);
        $this->machine()->set("agent-workers:run:{{$second}}:call:1:t", 'the other');
        $this->abandon();
        $this->serve();
        self::assertSame(['Acme'], $this->done);
        $results = array_map(fn (string $run): array => $this->told($run)[0], [$first, $second]);
        self::assertSame(['Paid.', 'Paid.'], array_column($results, 'content'));
        self::assertSame([false, true], array_map(static fn (array $one): bool => $one['replayed'] ?? false, $results));
    }

    public function testASecondAttemptIsAnsweredFromTheRecord(): void
    {
        $this->prepare();
        $run = $this->calling(['name' => 'pay']);
        $this->serve();
        $this->rule('requeue', [$run, 1, 'test/0', 0, 1, 0, '']);
        self::assertSame(2, $this->beginRun($run));
        $this->writeRun($run, [self::START, self::appToolCall(['name' => 'pay'])], 1, 2);
        $this->serve();
        self::assertSame(['Acme'], $this->done);
        self::assertTrue($this->told($run)[1]['replayed']);
    }

    public function testASignalLetsTheCallComeToItsEnd(): void
    {
        Agent::tool('find', 'Finds.', ['type' => 'object'], function (): string {
            posix_kill(getmypid(), SIGTERM);
            $this->done[] = 'to the end';

            return 'Found.';
        });
        $run = $this->calling();
        $next = $this->calling();
        try {
            self::assertSame(0, Artisan::call('agent:fleet-tools'));
        } finally {
            pcntl_signal(SIGTERM, SIG_DFL);
            pcntl_signal(SIGINT, SIG_DFL);
        }
        self::assertSame(['to the end'], $this->done);
        self::assertCount(1, $this->told($run));
        self::assertSame([], $this->told($next));
    }

    private function serve(): void
    {
        self::assertSame(0, Artisan::call('agent:fleet-tools', ['--once' => true]));
    }

    /** @param array<string, mixed> $changed */
    private function calling(array $changed = []): string
    {
        $run = $this->begun();
        $this->writeRun($run, [self::START, self::appToolCall($changed)]);

        return $run;
    }

    /**
     * @param array<string, mixed> $changed
     *
     * @return array{string, array<string, mixed>}
     */
    private static function appToolCall(array $changed): array
    {
        return ['app_tool_call', $changed + [
            'call_id' => 'c', 'name' => 'find', 'input' => ['name' => 'Acme'], 'tool_use_id' => 't',
            'effect_key' => 'e',
            'expires_at' => gmdate('Y-m-d\TH:i:s.000\Z', time() + 60),
        ]];
    }

    /** Another process takes what is there, and does nothing with it. */
    private function abandon(): void
    {
        $redis = $this->machine();
        @$redis->xGroup('CREATE', self::CALLS, self::GROUP, '0', true);
        $redis->clearLastError();
        $found = $redis->xReadGroup(self::GROUP, 'gone', [self::CALLS => '>']);
        $redis->xClaim(self::CALLS, self::GROUP, 'gone', 0, array_keys($found[self::CALLS]), ['IDLE' => 60_000]);
    }

    private function pending(): int
    {
        return (int) $this->machine()->xPending(self::CALLS, self::GROUP)[0];
    }

    private function prepare(): void
    {
        config(['database.default' => 'sqlite', 'database.connections.sqlite' => [
            'driver' => 'sqlite', 'database' => ':memory:', 'prefix' => '',
        ]]);
        (require glob(__DIR__ . '/../../database/migrations/*.php')[0])->up();
        Agent::tool('pay', 'Pays.', ['type' => 'object'], function (array $input): string {
            $this->done[] = $input['name'];
            DB::table('agent_effects')->count();

            return 'Paid.';
        })->once();
    }
}

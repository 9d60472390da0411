<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Event\AppToolCall;
use AgentWorkers\Event\ToolResult;
use AgentWorkers\Exception\ToolException;
use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Progress;
use AgentWorkers\Testing\FakeRunner;
use AgentWorkers\Testing\Script;
use AgentWorkers\Tests\Scenarios;
use AgentWorkers\ToolContent;
use Illuminate\Database\Events\TransactionCommitted;
use Illuminate\Support\Facades\DB;
use Illuminate\Support\Facades\Event;
use Illuminate\Support\Facades\Schema;

/** Effects of the application's tools that happen once, however often a run is tried. */
final class OnceTest extends TestCase
{
    use Databases;
    use Scenarios;

    private const ANY = ['type' => 'object'];

    /** @dataProvider databases */
    public function testASecondAttemptIsAnsweredFromTheRecord(string $kind): void
    {
        $this->prepare($kind);
        $count = 0;
        Agent::tool('pay', 'Pays.', self::ANY, function (array $input, AppToolCall $call) use (&$count): string {
            DB::table('payments')->insert(['name' => "{$input['to']} 👍"]);
            $count++;

            return "Paid {$input['to']}: $call->effectKey 👍";
        })->once();
        [$first, $second, $other] = [$this->called('k1'), $this->called('k1'), $this->called('k2')];

        self::assertSame(["Paid Acme: k1 👍", false], $first);
        self::assertSame(["Paid Acme: k1 👍", true], $second);
        self::assertSame(["Paid Acme: k2 👍", false], $other);
        self::assertSame([2, 2, 2], [$count, DB::table('payments')->count(), DB::table('agent_effects')->count()]);

        Agent::tool('pay', 'Pays.', self::ANY, static function (): void {
            DB::table('payments')->insert(['name' => 'half']);
            throw new ToolException('The account is empty.', retryable: true);
        })->once();
        [$failed] = $this->called('k3', isError: true);
        self::assertSame('The account is empty.', $failed);
        self::assertSame([2, 2], [DB::table('payments')->count(), DB::table('agent_effects')->count()]);

        Agent::tool('pay', 'Pays.', self::ANY, static fn (): ToolContent => (new ToolContent())->text('A')->text('B'))
            ->once();
        self::assertSame([["A\nB", false], ["A\nB", true]], [$this->called('k3'), $this->called('k3')]);
    }

    /** @dataProvider databases */
    public function testOfTwoAttemptsAtTheSameTimeOneTakesEffect(string $kind): void
    {
        $this->prepare($kind);
        $directory = $this->directory();
        Agent::tool('pay', 'Pays.', self::ANY, static function () use ($directory): string {
            DB::table('payments')->insert(['name' => 'Acme']);
            touch("$directory/entered");
            self::eventually(static fn (): bool => file_exists("$directory/second"));
            usleep(100_000); // the other attempt is about to meet the key; it must come to the same if it is late

            return 'Paid by ' . getmypid();
        })->once();
        DB::purge();
        $child = pcntl_fork();
        if ($child === 0) {
            try {
                file_put_contents("$directory/told", serialize($this->called('k1')));
            } finally {
                posix_kill((int) getmypid(), SIGKILL);
            }
        }
        self::eventually(static fn (): bool => file_exists("$directory/entered"));
        touch("$directory/second");
        $second = $this->called('k1');
        pcntl_waitpid($child, $status);

        self::assertSame(["Paid by $child", true], $second);
        self::assertSame(["Paid by $child", false], unserialize((string) file_get_contents("$directory/told")));
        self::assertSame([1, 1], [DB::table('payments')->count(), DB::table('agent_effects')->count()]);
    }

    public function testARunThatWasKilledBetweenTheCommitAndTheAnswerTakesNoSecondEffect(): void
    {
        $this->prepare('sqlite');
        config([
            'agent-workers.binaries.agent-chat' => $this->binary('agent-chat'),
            'agent-workers.simulate' => $this->scenario(['mcp__app__pay', ['to' => 'Acme']]),
            'agent-workers.env' => ['HOME' => $this->directory(), 'ANTHROPIC_API_KEY' => null],
            'agent-workers.state_dir' => $this->directory() . '/state',
        ]);
        Agent::tool('pay', 'Pays.', self::ANY, static function (array $input): string {
            DB::table('payments')->insert(['name' => $input['to']]);

            return 'Paid by ' . getmypid();
        })->once();
        $again = static fn (): array => iterator_to_array(Agent::chat('Pay Acme.')->appTools('pay')
            ->configure(static fn ($request) => $request->run('run-1'))->events(), false);
        DB::purge();
        $child = pcntl_fork();
        if ($child === 0) {
            try {
                Event::listen(TransactionCommitted::class, static fn () => posix_kill((int) getmypid(), SIGKILL));
                $again();
            } finally {
                posix_kill((int) getmypid(), SIGTERM);
            }
        }
        pcntl_waitpid($child, $status);
        self::assertSame([SIGKILL, 1], [pcntl_wtermsig($status), DB::table('payments')->count()]);

        $events = $again();
        $results = array_values(array_filter($events, static fn ($event) => $event instanceof ToolResult));
        self::assertSame([["Paid by $child", true]], array_map(
            static fn (ToolResult $result): array => [$result->content, $result->replayed],
            $results,
        ));
        self::assertSame(['done', "All done. Paid by $child"], [end($events)->type, end($events)->text]);
        self::assertSame([1, 1], [DB::table('payments')->count(), DB::table('agent_effects')->count()]);
    }

    public function testWhatItPrintsAndItsNullAreKeptApart(): void
    {
        $this->prepare('sqlite');
        Agent::tool('pay', 'Pays.', self::ANY, static function (array $input, Progress $progress): void {
            $progress->write('half');
            $progress->write(' done');
        })->once();
        $fake = $this->fake('k1');
        $printed = '';
        Agent::chat('Hi')->appTools('pay')->onToolOutput(static function ($output) use (&$printed): void {
            $printed .= $output->text;
        })->run();
        self::assertSame('half done', $printed);
        $fake->assertToolAnswered('pay', 'null');
        self::assertSame(['null', true], $this->called('k1'));
    }

    /** @dataProvider databases */
    public function testAHandlerThatEndsTheTransactionIsNotTakenForOneThatTookEffectOnce(string $kind): void
    {
        $this->prepare($kind);
        $how = static function (\Closure $end): void {
            Agent::tool('pay', 'Pays.', self::ANY, static function () use ($end): string {
                DB::table('payments')->insert(['name' => 'Acme']);
                $end();

                return 'Paid.';
            })->once();
        };
        $left = static fn (): array => [
            DB::transactionLevel(), DB::table('payments')->count(), DB::table('agent_effects')->count(),
        ];
        foreach ([static fn () => DB::rollBack(), static fn () => DB::beginTransaction()] as $end) {
            $how($end);
            self::assertSame(['The tool failed.', false], $this->called('k1', isError: true));
            self::assertSame([0, 0, 0], $left());
        }
        $how(static function (): void {
            DB::commit();
            throw new \RuntimeException('cut off');
        });
        $this->called('k1', isError: true);
        [$told] = $this->called('k1', isError: true);
        self::assertSame('An earlier attempt broke off. It is not known what it has done.', $told);
        self::assertSame([0, 1, 1], $left());
    }

    public function testAnAttemptThatHasWaitedTooLongIsWorthAnother(): void
    {
        $this->prepare('sqlite');
        Agent::tool('pay', 'Pays.', self::ANY, static fn (): string => self::fail('It ran.'))->once();
        $other = new \PDO('sqlite:' . $this->directory() . '/db.sqlite');
        $other->exec('BEGIN IMMEDIATE');
        DB::statement('PRAGMA busy_timeout = 0');
        $this->fake('k1');
        foreach (Agent::chat('Hi')->appTools('pay')->events() as $event) {
            $event instanceof ToolResult && $told = [$event->status, $event->content, $event->retryable];
        }
        $other->exec('ROLLBACK');
        self::assertSame(['error', 'Another attempt is doing the same. Try again later.', true], $told ?? null);
    }

    public function testAClassMayTakeEffectOnceAndAWorkerThatNamesNoEffectRunsNothing(): void
    {
        $this->prepare('sqlite');
        Agent::tool(FindPartner::class)->once();
        $call = Script::text('Done.')->callingTool('find_partner', ['name' => 'Acme']);
        $fake = Agent::fake($call, $call);
        Agent::chat('Hi')->appTools(FindPartner::class)->run();
        Agent::chat('Hi')->appTools('find_partner')->run();
        $fake->assertToolAnswered('find_partner', 'Acme is in Rome');
        self::assertSame([null, true], array_map(
            static fn (array $control): ?bool => $control['replayed'] ?? null,
            $fake->controls(),
        ));
        $old = ['type' => 'app_tool_call', 'call_id' => 'c', 'name' => 'find_partner', 'input' => ['name' => 'Acme']];
        $fake = Agent::fake(Script::events($old, ['type' => 'done', 'text' => '']));
        Agent::chat('Hi')->appTools('find_partner')->run();
        self::assertSame([['The tool failed.', true]], array_map(
            static fn (array $control): array => [$control['content'], $control['is_error']],
            $fake->controls(),
        ));
    }

    private function prepare(string $kind): void
    {
        $this->connect($kind);
        Schema::dropIfExists('payments');
        Schema::create('payments', static fn ($table) => $table->string('name'));
        self::migrate('migrations');
        config(['app.city' => 'Rome']);
    }

    /** @return array{string, bool} what the model is told, and whether it comes from the record */
    private function called(string $key, bool $isError = false): array
    {
        $this->fake($key);
        foreach (Agent::chat('Hi')->appTools('pay')->events() as $event) {
            if ($event instanceof ToolResult) {
                self::assertSame($isError ? 'error' : 'ok', $event->status, $event->content);
                $told = [$event->content, $event->replayed ?? false];
            }
        }

        return $told ?? self::fail('It was not called.');
    }

    private function fake(string $key): FakeRunner
    {
        return Agent::fake(Script::text('Done.')->callingTool('pay', ['to' => 'Acme'], $key));
    }

    /** @param \Closure(): bool $condition */
    private static function eventually(\Closure $condition): void
    {
        for ($end = hrtime(true) + 60e9; !$condition(); usleep(2_000)) {
            self::assertLessThan($end, hrtime(true), 'It did not come.');
        }
    }
}

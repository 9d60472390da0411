<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel\Records;

use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\Records\AgentConversation;
use AgentWorkers\Laravel\Records\AgentEvent;
use AgentWorkers\Laravel\Records\AgentMessage;
use AgentWorkers\Laravel\Records\AgentRun;
use AgentWorkers\Laravel\Records\AgentUsage;
use AgentWorkers\Laravel\Records\UtcTime;
use AgentWorkers\Testing\Script;
use AgentWorkers\Tests\Laravel\Databases;
use AgentWorkers\Tests\Laravel\TestCase;
use Carbon\CarbonImmutable;
use Illuminate\Support\Facades\Artisan;
use Illuminate\Support\Str;

/** What an operator asks of the records at the terminal. */
final class RecordsConsoleTest extends TestCase
{
    use Databases;

    public function testARunIsShownAsATimelineOfCallsAndDecisions(): void
    {
        $this->record();
        Agent::fake(Script::text("Done.\e[31m")->asking('Bash', ['command' => 'rm -r made']));
        $run = Agent::chat('Look')->user('7')->onPermission(static fn (): bool => false)->run()->run;
        self::assertSame(0, Artisan::call("agent:run $run"));
        $shown = Artisan::output();
        foreach (
            [
            '/^' . $run . '  agent-chat/', '/user: 7/', '/\+\d\.\ds  is asked: Look/',
            '/calls Bash: {"command":"rm -r made"}/', '/Bash denied/', '/says: Done\./', '/^done  attempts: 1/m',
            ] as $pattern
        ) {
            self::assertMatchesRegularExpression($pattern, $shown);
        }
        self::assertStringNotContainsString("\e", $shown);
        self::assertNotSame(0, Artisan::call('agent:run missing'));
        self::assertStringContainsString('No run missing is recorded.', Artisan::output());
    }

    public function testAConversationIsShownWithAllItsRuns(): void
    {
        $this->record();
        Agent::fake('One', 'Two');
        $id = '5b6f4b60-5a3c-4d8a-9a52-1f1f5c1f2a11';
        foreach (['First', 'Second'] as $prompt) {
            Agent::chat($prompt)->conversation($id)->owner('cron')->run();
        }
        self::assertSame(0, Artisan::call("agent:session $id"));
        $shown = Artisan::output();
        self::assertMatchesRegularExpression('/First.*One.*Second.*Two/s', $shown);
        self::assertStringContainsString('runs: 2', $shown);
        self::assertNotSame(0, Artisan::call('agent:session none'));
    }

    /** @dataProvider databases */
    public function testUsageIsSummedByDayModelUserSkillAndTenant(string $kind): void
    {
        $this->record($kind);
        foreach (
            [
            ['r1', '2026-11-20 23:59:59.999', 'opus', '7', 0.5], ['r2', '2026-11-21 00:00:00.000', 'opus', '8', 0.25],
            ['r2', '2026-11-21 00:00:00.000', 'haiku', '8', null],
            ] as [$run, $at, $model, $user, $cost]
        ) {
            AgentUsage::query()->create([
                'run_id' => $run, 'turn' => 0, 'model' => $model, 'input_tokens' => 10, 'user' => $user,
                'cost_usd' => $cost, 'at' => $at,
            ]);
        }
        $by = static function (string $what): array {
            Artisan::call("agent:usage --by=$what --since=2026-11-01 --json");

            return array_map(
                static fn (array $row): array => [$row[$what], $row['runs'], $row['input_tokens'], $row['cost_usd']],
                json_decode(Artisan::output(), true),
            );
        };
        self::assertEquals([['2026-11-20', 1, 10, 0.5], ['2026-11-21', 1, 20, 0.25]], $by('day'));
        self::assertEquals([['haiku', 1, 10, null], ['opus', 2, 20, 0.75]], $by('model'));
        self::assertEquals([['7', 1, 10, 0.5], ['8', 1, 20, 0.25]], $by('user'));
        self::assertEquals([[null, 2, 30, 0.75]], $by('tenant'));
        self::assertEquals([[null, 2, 30, 0.75]], $by('skill'));
        self::assertSame(0, Artisan::call('agent:usage --since=2026-11-01'));
        self::assertStringContainsString('2026-11-20', Artisan::output());
        self::assertNotSame(0, Artisan::call('agent:usage --by=moon'));
    }

    public function testOldRunsArePruned(): void
    {
        $this->record();
        Agent::fake('One', 'Two');
        Agent::chat('Old')->run();
        AgentRun::query()->update(['started_at' => UtcTime::format(CarbonImmutable::now()->subDays(91))]);
        Agent::chat('New')->run();
        self::assertNotSame(0, Artisan::call('agent:records prune'));
        self::assertSame(0, Artisan::call('agent:records prune --older-than=90d'));
        self::assertStringContainsString('Deleted 1 runs.', Artisan::output());
        self::assertSame([1, 1, 2, 1], [
            AgentRun::query()->count(), AgentConversation::query()->count(), AgentMessage::query()->count(),
            AgentUsage::query()->count(),
        ]);
    }

    public function testAUserIsForgottenWithWhatWaitsInTheSpool(): void
    {
        $this->record();
        Agent::fake('One', 'Two');
        foreach (['7' => 'Mine', '8' => 'Theirs'] as $user => $prompt) {
            Agent::chat($prompt)->user((string) $user)->conversation((string) Str::uuid())->owner('cron')->run();
        }
        $of = ['run_id' => AgentRun::query()->where('user', '8')->value('id'), 'attempt' => 1];
        AgentEvent::query()->create($of + [
            'seq' => 9, 'type' => 'permission_resolved', 'payload' => ['actor' => '7', 'by' => 'client'], 'at' => now(),
        ]);
        AgentMessage::query()->where('content', '"Two"')->update(['actor' => '7']);
        self::assertNotSame(0, Artisan::call('agent:records forget --force'));
        self::assertSame(0, Artisan::call('agent:records forget --user=7 --force'));
        self::assertSame(['8'], AgentRun::query()->pluck('user')->all());
        self::assertSame(['8'], AgentUsage::query()->pluck('user')->all());
        self::assertSame(['Theirs', 'Two'], AgentMessage::query()->orderBy('seq')->get()->pluck('content')->all());
        self::assertSame(1, AgentConversation::query()->count());
        $acted = AgentEvent::query()->where('type', 'permission_resolved')->sole();
        self::assertSame(['by' => 'client'], $acted->payload);
        self::assertSame(0, AgentMessage::query()->whereNotNull('actor')->count());
    }

    public function testWhatIsRecordedOfAUserIsExportedAsLines(): void
    {
        $this->record();
        Agent::fake('One', 'Two');
        foreach (['7' => 'Mine', '8' => 'Theirs'] as $user => $prompt) {
            Agent::chat($prompt)->user((string) $user)->conversation((string) Str::uuid())->owner('cron')->run();
        }
        self::assertSame(0, Artisan::call('agent:records export --user=7'));
        $lines = array_map(
            static fn (string $line): array => json_decode($line, true),
            array_filter(explode("\n", Artisan::output())),
        );
        $kinds = array_count_values(array_column($lines, 'record'));
        self::assertSame(['conversation' => 1, 'run' => 1, 'message' => 2, 'usage' => 1, 'event' => 1], $kinds);
        self::assertStringNotContainsString('Theirs', Artisan::output());
        self::assertSame(0, Artisan::call('agent:records export'));
        self::assertStringContainsString('Theirs', Artisan::output());
    }

    public function testItSaysThatRecordsAreSwitchedOffAndThatThereAreNoTables(): void
    {
        self::assertNotSame(0, Artisan::call('agent:records flush'));
        self::assertStringContainsString('AGENT_WORKERS_RECORDS=true', Artisan::output());
        $this->record();
        self::migrate('none');
        config(['agent-workers.records.prefix' => 'other_']);
        self::assertNotSame(0, Artisan::call('agent:records prune --older-than=1d'));
        self::assertStringContainsString('php artisan migrate', Artisan::output());
    }
}

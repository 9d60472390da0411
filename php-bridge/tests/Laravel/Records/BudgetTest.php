<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel\Records;

use AgentWorkers\Exception\LogicException;
use AgentWorkers\Exception\RunFailedException;
use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\Queue\RunAgent;
use AgentWorkers\Laravel\Records\AgentUsage;
use AgentWorkers\Laravel\Records\UtcTime;
use AgentWorkers\Tests\Laravel\Databases;
use AgentWorkers\Tests\Laravel\TestCase;
use Carbon\CarbonImmutable;
use Illuminate\Auth\GenericUser;
use Illuminate\Support\Facades\Schema;

/** What may be spent on agents in a day. */
final class BudgetTest extends TestCase
{
    use Databases;

    public function testARunIsRefusedBeforeItStartsOnceAUsersDayIsSpent(): void
    {
        $this->record();
        $this->spend('7', null, 1.0);
        config(['agent-workers.records.budgets' => ['user' => 1.0]]);
        $fake = Agent::fake('Hi', 'Hi');
        self::assertSame('budget_exhausted', $this->refusal('7')['code']);
        self::assertNull($this->refusal('8'));
        $this->actingAs(new GenericUser(['id' => 7]));
        $refused = $this->ask(['prompt' => 'Hello'])->assertStatus(429)->assertJsonPath('code', 'budget_exhausted');
        self::assertGreaterThan(0, (int) $refused->headers->get('Retry-After'));
        $fake->assertRanTimes(1);
    }

    public function testATenantAndAllTogetherHaveADayEachAndYesterdayIsOver(): void
    {
        $this->record();
        $this->spend('7', 'acme', 3.0);
        $this->spend('8', 'other', 100.0, CarbonImmutable::now('UTC')->startOfDay()->subSecond());
        Agent::fake(...array_fill(0, 9, 'Hi'));
        Agent::budget(static fn (): array => ['tenant' => 3]);
        self::assertSame(['budget_exhausted', null], [
            $this->refusal('9', 'acme')['code'] ?? null, $this->refusal('9', 'other')['code'] ?? null,
        ]);
        Agent::budget(static fn (): array => ['total' => 3.0, 'user' => null]);
        self::assertSame('budget_exhausted', $this->refusal('9')['code'] ?? null);
        Agent::budget(static fn (): array => ['total' => 3.5]);
        self::assertNull($this->refusal('9'));
        Agent::budget(static fn (?string $user, ?string $tenant): float => $user === '7' && $tenant === 'acme' ? 2 : 9);
        self::assertSame('budget_exhausted', $this->refusal('7', 'acme')['code'] ?? null);
        self::assertNull($this->refusal('7', 'other'));
        Agent::budget(static fn (): ?float => null);
        self::assertNull($this->refusal('7', 'acme'));
    }

    public function testItSaysWhenTheDayOfTheApplicationEnds(): void
    {
        $this->record();
        $this->spend('7', null, 1.0);
        config(['app.timezone' => 'Pacific/Auckland']);
        Agent::budget(static fn (): int => 0);
        $ms = $this->refusal('7')['retry_after_ms'];
        $now = CarbonImmutable::now('Pacific/Auckland');
        $left = $now->startOfDay()->addDay()->getTimestampMs() - $now->getTimestampMs();
        self::assertEqualsWithDelta($left, $ms, 60_000);
    }

    public function testAQueuedRunIsRefusedWhenItWouldBegin(): void
    {
        $this->record();
        $this->spend('7', null, 1.0);
        $fake = Agent::fake('Hi');
        Agent::budget(static fn (): int => 1);
        $job = new RunAgent(['prompt' => 'Hello']);
        $job->party = ['user' => '7'];
        try {
            $this->app->call($job->handle(...));
            self::fail('It ran.');
        } catch (RunFailedException $error) {
            self::assertSame('budget_exhausted', $error->event->code);
        }
        $fake->assertNothingRan();
    }

    public function testADatabaseThatIsAwayRefusesNothing(): void
    {
        $this->record();
        Schema::drop('agent_usage');
        Agent::fake('Hi');
        Agent::budget(static fn (): int => 1);
        self::assertNull($this->refusal('7'));
    }

    public function testABudgetNeedsRecordsAndNumbers(): void
    {
        Agent::fake('Hi', 'Hi');
        Agent::budget(static fn (): int => 1);
        try {
            Agent::chat('Hello')->user('7')->run();
            self::fail('It ran.');
        } catch (LogicException $error) {
            self::assertStringContainsString('AGENT_WORKERS_RECORDS=true', $error->getMessage());
        }
        $this->record();
        Agent::budget(static fn (): array => ['month' => 1]);
        $this->expectExceptionMessage('A budget is a number of US dollars a day');
        Agent::chat('Hello')->user('7')->run();
    }

    private function spend(string $user, ?string $tenant, float $usd, ?CarbonImmutable $at = null): void
    {
        AgentUsage::query()->create([
            'run_id' => "run of $user", 'turn' => 0, 'model' => 'opus', 'user' => $user, 'tenant' => $tenant,
            'cost_usd' => $usd, 'at' => UtcTime::format($at ?? CarbonImmutable::now()),
        ]);
    }

    /** @return array<string, mixed>|null */
    private function refusal(string $user, ?string $tenant = null): ?array
    {
        $run = Agent::chat('Hello')->user($user);
        $tenant === null || $run->tenant($tenant);
        try {
            $run->run();

            return null;
        } catch (RunFailedException $error) {
            return $error->event->data;
        }
    }
}

<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Fleet;

use AgentWorkers\Exception\FleetException;
use AgentWorkers\Fleet\JobOptions;
use AgentWorkers\Fleet\JobStatus;
use AgentWorkers\Request;
use AgentWorkers\Tests\Fleets;
use AgentWorkers\Tests\TemporaryDirectory;
use PHPUnit\Framework\TestCase;
use Symfony\Component\Process\Process;

final class OverviewTest extends TestCase
{
    use Fleets;
    use TemporaryDirectory;

    protected function setUp(): void
    {
        $this->startRedis();
    }

    public function testAnEmptyFleetHasNothing(): void
    {
        $seen = $this->fleet()->overview();
        self::assertSame([], [...$seen->queues, ...$seen->tenants, ...$seen->paused, ...$seen->machines]);
        self::assertSame(0, $seen->dead);
        self::assertSame([], $this->fleet()->latest());
        self::assertSame([], $this->fleet()->dead());
    }

    public function testItSeesWhatTheCommandOfTheFleetSees(): void
    {
        $this->makeBusy();
        $seen = $this->fleet()->overview();
        $process = new Process([self::command(), 'fleet', 'status', '--json', '--redis', $this->fleetUrl()]);
        $told = json_decode($process->mustRun()->getOutput(), true);
        self::assertSame($told['queues'], array_map(get_object_vars(...), $seen->queues));
        self::assertSame($told['tenants'], array_map(get_object_vars(...), $seen->tenants));
        self::assertSame($told['machines'], array_map(get_object_vars(...), $seen->machines));
        $till = array_map(static fn (\DateTimeImmutable $at): int => (int) $at->format('Uv'), $seen->paused);
        self::assertSame($told['paused'], $till);
        self::assertSame($told['dead'], $seen->dead);
        self::assertSame(['waiting' => 1, 'scheduled' => 1, 'running' => 2], [
            'waiting' => $seen->queues['default']->waiting,
            'scheduled' => $seen->queues['default']->scheduled,
            'running' => $seen->queues['default']->running,
        ]);
        self::assertSame([1, 2, 2], array_values(get_object_vars($seen->tenants['acme'])));
    }

    public function testRunsAreListedThoseFirstThatRunAndThenTheLatest(): void
    {
        $this->makeBusy();
        $this->fleet()->submit(Request::prompt('Hello')->run('last'), JobOptions::make()->queue('nobody'));
        $names = $this->latest();
        self::assertEqualsCanonicalizing(['r-1', 'r-2'], array_slice($names, 0, 2));
        self::assertSame('last', $names[2]);
        self::assertEqualsCanonicalizing(['r-3', 'later', 'other'], array_slice($names, 3));
        self::assertCount(3, $this->fleet()->latest(3));
        $this->machine()->del('agent-workers:run:{last}:job');
        self::assertNotContains('last', $this->latest());
        self::assertSame('Hello', $this->fleet()->latest()[0]->request()->get('prompt'));
    }

    public function testWhoHasNoPatienceIsSoonToldThatRedisIsAway(): void
    {
        $this->endRedis();
        $began = hrtime(true);
        try {
            $this->fleet()->patience(0.1)->overview();
            self::fail('Redis is away.');
        } catch (FleetException) {
            self::assertLessThan(15e9, hrtime(true) - $began); // the usual patience is longer
        }
    }

    /** @return list<string> */
    private function latest(): array
    {
        return array_map(static fn (JobStatus $job): string => $job->run, $this->fleet()->latest());
    }

    private function makeBusy(): void
    {
        $this->machine()->hMSet('agent-workers:limits', ['tenant:acme' => '2', 'queue:default' => '3']);
        $this->offerSlots();
        $acme = JobOptions::make()->tenant('acme');
        foreach (['r-1', 'r-2', 'r-3'] as $at => $run) {
            $this->fleet()->submit(Request::prompt('Hello')->run($run), $acme);
            $at < 2 && $this->beginRun($run, "host:$at/0");
        }
        $this->fleet()->submit(
            Request::prompt('Hello')->run('later'),
            JobOptions::make()->runAt(new \DateTimeImmutable('2099-01-01T00:00:00Z')),
        );
        $this->fleet()->submit(Request::prompt('Hello')->run('other'), JobOptions::make()->queue('nobody'));
        $this->rule('pause', ['acme', 600_000]);
    }

    private static function command(): string
    {
        return dirname((string) getenv('AGENT_CHAT_BIN')) . '/agent-workers';
    }
}

<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Fleet;

use AgentWorkers\Exception\NotDeadException;
use AgentWorkers\Fleet\DeadRun;
use AgentWorkers\Fleet\JobOptions;
use AgentWorkers\Request;
use AgentWorkers\Tests\Fleets;
use AgentWorkers\Tests\TemporaryDirectory;
use PHPUnit\Framework\TestCase;
use Symfony\Component\Process\Process;

final class DeadRunsTest extends TestCase
{
    use Fleets;
    use TemporaryDirectory;

    protected function setUp(): void
    {
        $this->startRedis();
        $this->offerSlots();
    }

    public function testRunsThatFailedForGoodAreListedTheLastOnesFirst(): void
    {
        $this->bury('r-1', 1_000);
        $this->bury('r-2', 2_000);
        $this->machine()->zAdd('agent-workers:dead', 500, 'gone');
        $found = $this->fleet()->dead();
        self::assertSame(['r-2', 'r-1', 'gone'], array_map(static fn (DeadRun $dead): string => $dead->run, $found));
        self::assertSame('2', $found[0]->failedAt->format('U'));
        self::assertSame(['overloaded', 'acme'], [$found[0]->status->code, $found[0]->status->tenant]);
        self::assertNull($found[2]->status);
        self::assertTrue($this->fleet()->isDead('r-1'));
        self::assertFalse($this->fleet()->isDead('r-3'));
    }

    public function testAJobIsSubmittedAgainAsOneRunWhoeverDoesItAndBelongsToWhomItBelonged(): void
    {
        $this->bury('r-1');
        $again = $this->fleet()->retry('r-1');
        self::assertTrue($again->isNew);
        $status = $this->fleet()->status($again->run);
        self::assertSame(
            ['admitted', 'acme', 'me', 'r-1', null, 'agent-task'],
            [$status->state, $status->tenant, $status->owner, $status->retryOf, $status->expiresAt, $status->worker],
        );
        self::assertSame('Hello', $status->request()->get('prompt'));
        self::assertNull($status->request()->get('expires_at'));
        self::assertSame($again->run, $this->fleet()->status('r-1')->retriedAs);
        self::assertSame([], $this->fleet()->dead());
        $this->machine()->zAdd('agent-workers:dead', 1, 'r-1');
        self::assertFalse($this->fleet()->retry('r-1')->isNew);
        $this->machine()->zAdd('agent-workers:dead', 1, 'r-1');
        $command = dirname((string) getenv('AGENT_CHAT_BIN')) . '/agent-workers';
        $process = new Process([$command, 'fleet', 'dead', 'retry', 'r-1', '--redis', $this->fleetUrl()]);
        self::assertSame($again->run, json_decode($process->mustRun()->getOutput(), true)['run']);
        self::assertSame([], $this->fleet()->dead());
    }

    public function testARunIsDroppedAndItsJobGoesWithItsEvents(): void
    {
        $this->bury('r-1');
        $this->machine()->persist('agent-workers:run:{r-1}:job');
        $this->fleet()->drop('r-1');
        self::assertSame([], $this->fleet()->dead());
        self::assertGreaterThan(0, $this->machine()->pttl('agent-workers:run:{r-1}:job'));
        $this->expectException(NotDeadException::class);
        $this->expectExceptionMessage('not among those');
        $this->fleet()->drop('r-1');
    }

    public function testWhatIsNotThereIsNotSubmittedAgain(): void
    {
        $this->machine()->zAdd('agent-workers:dead', 1, 'gone');
        foreach (['gone' => 'can only be dropped', 'unknown' => 'not among those'] as $run => $why) {
            try {
                $this->fleet()->retry($run);
                self::fail("$run was submitted again.");
            } catch (NotDeadException $error) {
                self::assertStringContainsString($why, $error->getMessage());
            }
        }
        $this->fleet()->drop('gone');
        self::assertSame([], $this->fleet()->dead());
    }

    private function bury(string $run, int $ms = 1_000): void
    {
        $late = new \DateTimeImmutable('2099-01-01T00:00:00Z');
        $job = JobOptions::make()->tenant('acme')->owner('me')->expiresAt($late);
        $request = Request::prompt('Hello')->run($run)->with('cwd', '/');
        $this->fleet()->submit($request, $job, 'agent-task');
        $this->beginRun($run);
        $this->writeRun($run, [['error', ['code' => 'overloaded', 'message' => 'No.', 'retryable' => true]]]);
        $this->machine()->zAdd('agent-workers:dead', $ms, $run);
    }
}

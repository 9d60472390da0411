<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Worker;

use AgentWorkers\Batch\Batch;
use AgentWorkers\Batch\BatchOptions;
use AgentWorkers\Batch\BatchResult;
use AgentWorkers\Batch\ProcessBatchRunner;
use AgentWorkers\Exception\BatchFailedException;
use AgentWorkers\Exception\BatchStoppedException;
use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Exception\LogicException;
use AgentWorkers\Exception\RunAbortedException;
use AgentWorkers\Exception\RunFailedException;
use AgentWorkers\Request;
use AgentWorkers\Tests\Workers;
use PHPUnit\Framework\TestCase;
use Symfony\Component\Process\Process;

/** The real agent-batch, with a worker that answers at once. */
final class BatchTest extends TestCase
{
    use Workers;

    public function testEachResultComesUnderTheKeyOfItsRequestAndAFailedOneIsAResultToo(): void
    {
        $requests = ['a' => 'hello', 7 => 'fail', 'ü' => 'grüße'];
        $batch = $this->batch($requests);
        $results = iterator_to_array($batch);

        self::assertEqualsCanonicalizing(['a', 7, 'ü'], array_keys($results));
        self::assertSame(['said' => 'hello'], $results['a']->orFail()->output);
        self::assertSame(['done', true, 0.5, 1], [
            $results['a']->status, $results['a']->needsReview, $results['a']->costUsd, $results['a']->attempts,
        ]);
        self::assertSame(['auth', 'No.', false], [
            $results[7]->error->code, $results[7]->error->message, $results[7]->error->retryable,
        ]);
        self::assertSame([2, 1, 1.0], [$batch->totals()->done, $batch->totals()->failed, $batch->totals()->costUsd]);
        $this->expectException(RunFailedException::class);
        $results[7]->orFail();
    }

    public function testFiveThousandPassInTheMemoryOfAHundred(): void
    {
        [$few, $many] = array_map($this->measured(...), [100, 5_000]);

        self::assertSame([100, 5_000], [$few['results'], $many['results']]);
        self::assertSame(['item-0', 'invalid_request'], [$many['first'], $many['last']]);
        // A pipe brings 64 KiB of results at a time, a few of which are held; all would be some MiB.
        self::assertLessThan(256 << 10, $many['peak'] - $few['peak']);
        self::assertLessThan(500, $many['ahead'], 'Requests are made as they are taken.');
    }

    public function testARequestIsMadeOnlyWhenItIsNeeded(): void
    {
        $made = 0;
        $requests = (static function () use (&$made): \Generator {
            for (;;) {
                yield Request::prompt(str_pad('wait ' . $made++, 10_000, 'x'));
            }
        })();
        foreach ($this->batch(['first' => 'hello'], more: $requests) as $key => $result) {
            break;
        }

        self::assertSame('first', $key);
        // The batch reads at most 256 lines ahead of those that run, and pipes hold some more.
        self::assertLessThan(300, $made);
        self::assertNothingRuns();
    }

    public function testLeavingTheLoopOrThrowingInItLeavesNothingRunning(): void
    {
        try {
            foreach ($this->batch(['hello', 'wait 1', 'wait 2', 'wait 3', 'wait 4']) as $result) {
                throw new \DomainException();
            }
        } catch (\DomainException) {
        }

        self::assertNothingRuns();
    }

    public function testWhatTheRequestsThrowEndsTheBatch(): void
    {
        $requests = (static function (): \Generator {
            yield Request::prompt('wait');
            throw new \DomainException('The database is gone.');
        })();
        try {
            iterator_to_array($this->batch([], more: $requests));
            self::fail('The exception did not arrive.');
        } catch (\DomainException) {
        }

        self::assertNothingRuns();
    }

    public function testARequestThatJsonCannotSayIsOneResult(): void
    {
        $results = iterator_to_array($this->batch([], more: [
            'nan' => Request::prompt('x')->metadata(['share' => NAN]),
            'fine' => Request::prompt('hello'),
            "\xff" => Request::prompt('hello'),
        ]));

        self::assertSame('done', $results['fine']->status);
        self::assertSame(['invalid_request', 'invalid_request'], [
            $results['nan']->error->code, $results["\xff"]->error->code,
        ]);
        self::assertStringContainsString('Inf and NaN cannot be JSON encoded', $results['nan']->error->message);
    }

    public function testALimitEndsItWithAWordAfterAllResults(): void
    {
        $results = [];
        $requests = array_fill(0, 50, 'fail');
        try {
            foreach ($this->batch($requests, new BatchOptions(concurrency: 1, maxErrors: 2)) as $key => $result) {
                $results[$key] = $result;
            }
            self::fail('Nobody was told.');
        } catch (BatchStoppedException $stopped) {
            self::assertSame(['max_errors', 2], [$stopped->reason, $stopped->totals->failed]);
        }

        self::assertCount(2, $results);
    }

    public function testAStoppedBatchEndsWhatItHasBegun(): void
    {
        $batch = $this->batch(['hello', ...array_fill(0, 500, 'wait')], new BatchOptions(concurrency: 2));
        $statuses = [];
        try {
            foreach ($batch as $result) {
                $statuses[] = $result->status;
                if (count($statuses) === 1) {
                    self::eventually(fn (): bool => count($this->ran()) >= 3, 'No two of them run.');
                    $batch->stop();
                    touch($this->directory() . '/ran.go');
                }
            }
            self::fail('Nobody was told.');
        } catch (BatchStoppedException $stopped) {
            self::assertSame('signal', $stopped->reason);
        }

        self::assertSame(['done'], array_values(array_unique($statuses)));
        self::assertLessThan(501, count($statuses));
        self::assertCount(count($this->ran()), $statuses);
    }

    public function testAnAbortedRunIsAResult(): void
    {
        $options = new BatchOptions(concurrency: 2, deadlineS: 2, graceS: 0);
        $results = [];
        try {
            foreach ($this->batch(['hello', 'wait'], $options) as $key => $result) {
                $results[$key] = $result;
            }
        } catch (BatchStoppedException $stopped) {
            self::assertSame('deadline', $stopped->reason);
        }

        self::assertSame(['done', 'aborted'], [$results[0]->status, $results[1]->status]);
        $this->expectException(RunAbortedException::class);
        $results[1]->orFail();
    }

    public function testABatchThatWasLeftGoesOnAndWhatWasNotDealtWithComesAgain(): void
    {
        $options = new BatchOptions(concurrency: 3, checkpoint: $this->directory() . '/night');
        $requests = array_map(static fn (int $number): string => "item $number", range(0, 19));
        $dealtWith = [];
        foreach ($this->batch($requests, $options) as $key => $result) {
            if (count($dealtWith) === 4) {
                break; // as if it had been killed here
            }
            $dealtWith[] = $key;
        }
        foreach ($this->batch($requests, $options) as $key => $result) {
            $dealtWith[] = $key;
        }

        sort($dealtWith);
        self::assertSame(range(0, 19), $dealtWith);
        self::assertLessThanOrEqual(20 + 3, count($this->ran()), 'Only what was under way runs twice.');
        self::assertSame([], iterator_to_array($this->batch($requests, $options)));
    }

    public function testACheckpointOfAnotherBatchIsRefused(): void
    {
        $options = new BatchOptions(checkpoint: $this->directory() . '/night');
        iterator_to_array($this->batch(['one'], $options));
        try {
            iterator_to_array($this->batch(['two'], $options));
            self::fail('It was not refused.');
        } catch (BatchFailedException $refused) {
            self::assertSame([BatchFailedException::REFUSED, 2], [$refused->reason, $refused->exitCode]);
            self::assertStringContainsString('is of another batch', $refused->getMessage());
            self::assertFalse($refused->isRetryable());
        }
    }

    public function testWrongOptionsAreRefusedInItsWords(): void
    {
        $this->expectException(BatchFailedException::class);
        $this->expectExceptionMessage("Invalid value for '--concurrency'");
        iterator_to_array($this->batch(['hello'], new BatchOptions(concurrency: 0)));
    }

    public function testWithoutAgentBatchItSaysSo(): void
    {
        $this->expectException(BatchFailedException::class);
        $this->expectExceptionMessage('agent-batch is not installed here.');
        iterator_to_array((new ProcessBatchRunner('/nonexistent/agent-batch'))->batch([Request::prompt('x')]));
    }

    public function testABatchThatIsKilledIsLostAfterTheResultsThatCame(): void
    {
        $process = null;
        $runner = $this->runner()->configureProcess(static function (Process $it) use (&$process): void {
            $process = $it;
        });
        $keys = [];
        try {
            $requests = array_map(Request::prompt(...), ['hello', 'wait', 'wait']);
            foreach ($runner->batch($requests, new BatchOptions(concurrency: 2)) as $key => $result) {
                $keys[] = $key;
                $process->signal(SIGKILL);
            }
            self::fail('Nobody was told.');
        } catch (BatchFailedException $lost) {
            self::assertSame([BatchFailedException::LOST, 137], [$lost->reason, $lost->exitCode]);
            self::assertTrue($lost->isRetryable());
        }

        self::assertSame([0], $keys);
    }

    public function testAKilledApplicationLeavesNothingRunning(): void
    {
        $fixtures = dirname(__DIR__) . '/fixtures';
        $command = [PHP_BINARY, "$fixtures/batch.php", $this->binary('agent-batch'), '5', "$fixtures/quick.sh"];
        $application = new Process($command, null, ['QUICK_LOG' => $this->directory() . '/ran']);
        $application->start();
        self::eventually(fn (): bool => $this->ran() !== [], 'Nothing runs.');
        $application->signal(SIGKILL);
        $application->wait();

        self::eventually(fn (): bool => $this->running() === [], 'Something still runs.');
    }

    public function testWhatIsOutInTheEconomyLaneIsCountedAndALaterStartHasIt(): void
    {
        $program = $this->directory() . '/agent-batch';
        file_put_contents($program, <<<'BASH'
            #!/bin/bash
            echo "$*" >> "${0%/*}/arguments"
            count=$(wc -l)
            say() { echo '{"run":"r'$1'","line":'$1',"key":'$(($1 - 1))',"status":"done","text":"","lane":"economy"}'; }
            same='"cost_usd":0.1,"usage":{},"errors":{},"notes":["1 outside"]'
            sum() { echo '{"done":'$1',"out":'$2','$same',"exit_status":'$3'}' >&2; }
            if [ -e "${0%/*}/night" ]; then say 2; sum $count 0 0; exit 0; fi
            touch "${0%/*}/night"
            say 1
            sum 1 $((count - 1)) 75
            echo "agent-batch: $((count - 1)) lines are out since 2026-11-26T01:00:00Z; run the same command again" >&2
            exit 75
            BASH);
        chmod($program, 0o755);
        $options = new BatchOptions(checkpoint: $this->directory() . '/night', economy: true);
        $start = fn (BatchOptions $options): Batch
            => (new ProcessBatchRunner($program))->batch([Request::prompt('a'), Request::prompt('b')], $options);
        $first = $start($options);
        self::assertNull($first->pending());
        self::assertSame(['economy'], array_column(iterator_to_array($first), 'lane'));
        self::assertSame([1, 1, 1], [$first->pending(), $first->totals()->out, $first->totals()->done]);
        self::assertSame(['1 outside'], $first->totals()->notes);
        $second = $start($options->with(wait: true));
        self::assertSame([1], array_keys(iterator_to_array($second)));
        self::assertSame([0, 2], [$second->pending(), $second->totals()->done]);
        $arguments = file($this->directory() . '/arguments', FILE_IGNORE_NEW_LINES);
        self::assertStringEndsWith(' --economy', $arguments[0]);
        self::assertStringEndsWith(' --economy --wait', $arguments[1]);
    }

    public function testTheEconomyLaneNeedsACheckpoint(): void
    {
        $this->expectException(InvalidArgumentException::class);
        $this->expectExceptionMessage('needs a checkpoint');
        new BatchOptions(economy: true);
    }

    public function testOnlyTheEconomyLaneWaits(): void
    {
        $this->expectException(InvalidArgumentException::class);
        new BatchOptions(checkpoint: 'night', wait: true);
    }

    public function testItIsIteratedOnce(): void
    {
        $batch = $this->batch(['hello']);
        iterator_to_array($batch);

        $this->expectException(LogicException::class);
        iterator_to_array($batch);
    }

    public function testAKeyThatIsNoneIsRefused(): void
    {
        $requests = (static function (): \Generator {
            yield 1.5 => Request::prompt('x');
        })();
        $this->expectException(InvalidArgumentException::class);
        iterator_to_array($this->batch([], more: $requests));
    }

    /**
     * @param array<array-key, string> $prompts
     * @param iterable<array-key, Request> $more
     */
    private function batch(
        array $prompts,
        BatchOptions $options = new BatchOptions(concurrency: 2),
        iterable $more = [],
    ): Batch {
        $requests = static function () use ($prompts, $more): \Generator {
            yield from array_map(Request::prompt(...), $prompts);
            yield from $more;
        };

        return $this->runner()->batch($requests(), $options);
    }

    private function runner(): ProcessBatchRunner
    {
        return (new ProcessBatchRunner($this->binary('agent-batch')))
            ->inheritEnv('PATH')
            ->env(['QUICK_LOG' => $this->directory() . '/ran', 'HOME' => $this->directory()])
            ->command('agent-chat', [dirname(__DIR__) . '/fixtures/quick.sh']);
    }

    /** @return list<string> the prompts of the runs that were begun */
    private function ran(): array
    {
        return @file($this->directory() . '/ran', FILE_IGNORE_NEW_LINES) ?: [];
    }

    /** @return array<string, mixed> */
    private function measured(int $count): array
    {
        $fixture = dirname(__DIR__) . '/fixtures/batch.php';
        $application = new Process([PHP_BINARY, $fixture, $this->binary('agent-batch'), (string) $count]);

        return json_decode($application->setTimeout(100)->mustRun()->getOutput(), true, 512, JSON_THROW_ON_ERROR);
    }

    private function assertNothingRuns(): void
    {
        self::assertSame([], $this->running());
    }

    /** @return list<string> */
    private function running(): array
    {
        $mark = "QUICK_LOG={$this->directory()}/";
        $isOurs = static fn (string $file): bool => str_contains((string) @file_get_contents($file), $mark);

        return array_values(array_filter(glob('/proc/[0-9]*/environ') ?: [], $isOurs));
    }
}

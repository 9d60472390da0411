<?php

declare(strict_types=1);

namespace AgentWorkers\Batch;

use AgentWorkers\Exception\BatchFailedException;
use AgentWorkers\Exception\BatchStoppedException;
use AgentWorkers\Process\LineSplitter;
use AgentWorkers\Process\ProcessTransport;
use Psr\Log\LoggerInterface;

/**
 * A batch that one process of agent-batch runs. It gets requests as fast as it takes them, while its results are read
 * as fast as the loop takes them.
 *
 * @internal
 */
final class ProcessBatch implements Source
{
    /** Bytes of a result: a whole answer, and no event. */
    private const MAX_LINE = 256 << 20;
    /** Some have failed, perhaps all; that is told by their results. */
    private const ENDED = [0, 1, 75];
    private const REFUSED = 2;
    private const STOPPED = 3;

    private readonly LineSplitter $splitter;
    private ?BatchTotals $totals = null;
    /** @var resource|null */
    private $taken = null;

    public function __construct(
        private readonly Lines $lines,
        private readonly ProcessTransport $transport,
        private readonly BatchOptions $options,
        private readonly LoggerInterface $logger,
    ) {
        $this->splitter = new LineSplitter(self::MAX_LINE);
    }

    public function results(): \Generator
    {
        $isOver = false;
        try {
            $this->transport->feed($this->lines->written());
            foreach ($this->transport->chunks(null, static fn (): bool => true) as $chunk) {
                foreach ($this->splitter->push($chunk) as $line) {
                    yield from $this->told($line);
                }
                yield from $this->refused();
            }
            yield from $this->refused();
            $isOver = true;
        } finally {
            $isOver ? $this->transport->finish() : $this->transport->stop();
            $this->taken === null || fclose($this->taken);
            $this->report();
        }
        $this->conclude();
    }

    public function stop(): void
    {
        $this->transport->terminate();
    }

    public function totals(): ?BatchTotals
    {
        return $this->totals;
    }

    /** @return \Generator<array-key, BatchResult> */
    private function told(?string $line): \Generator
    {
        $result = Lines::read($line ?? '') ?? throw new BatchFailedException(
            BatchFailedException::LOST,
            'agent-batch wrote a line that is no result. Is another program installed under its name?',
        );
        yield $result->key => $result;
        $this->note($result); // the loop asks for the next one
    }

    /** @return \Generator<array-key, BatchResult> */
    private function refused(): \Generator
    {
        foreach ($this->lines->refused() as $result) {
            yield $result->key => $result;
        }
    }

    /** Notes that the loop has dealt with a result: it would come again after this process was killed. */
    private function note(BatchResult $result): void
    {
        $file = $this->options->taken();
        if ($file === null) {
            return;
        }
        $this->taken ??= @fopen($file, 'a') ?: null;
        if ($this->taken === null || @fwrite($this->taken, "$result->line\n") === false) {
            throw new BatchFailedException(BatchFailedException::LOST, "$file cannot be written.");
        }
    }

    private function conclude(): void
    {
        $exit = $this->transport->exitStatus();
        $summary = $this->summary();
        $this->totals = $summary === null ? null : new BatchTotals($summary);
        if ($exit->code === self::STOPPED && is_string($summary['stopped'] ?? null)) {
            throw new BatchStoppedException($summary['stopped'], $this->totals);
        }
        if ($summary !== null && in_array($exit->code, [...self::ENDED, self::STOPPED], true)) {
            return;
        }
        [$reason, $message] = match (true) {
            $exit->isMissing() => [BatchFailedException::NOT_INSTALLED, 'agent-batch is not installed here.'],
            !$exit->isStarted => [BatchFailedException::NOT_STARTED, 'agent-batch could not be started.'],
            $exit->code === self::REFUSED
                => [BatchFailedException::REFUSED, 'agent-batch refuses the batch: ' . $this->lastWords()],
            default => [
                BatchFailedException::LOST,
                'agent-batch ended unexpectedly, with the exit status ' . ($exit->code ?? 'unknown') . '.',
            ],
        };
        throw new BatchFailedException($reason, $message, $exit->code, $this->transport->stderr());
    }

    /** @return array<string, mixed>|null what it says of itself at its end */
    private function summary(): ?array
    {
        foreach (array_reverse(explode("\n", trim($this->transport->stderr()))) as $line) { // what is out is said last
            $summary = json_decode($line, true);
            if (is_array($summary) && isset($summary['exit_status'])) {
                return $summary;
            }
        }

        return null;
    }

    private function lastWords(): string
    {
        $lines = explode("\n", trim($this->transport->stderr()));

        return (string) preg_replace('/^(agent-batch|Error): /', '', trim($lines[count($lines) - 1]));
    }

    private function report(): void
    {
        $code = $this->transport->exitStatus()->code;
        $level = match (true) {
            !in_array($code, [...self::ENDED, self::STOPPED], true) => 'warning',
            ($this->summary()['notes'] ?? []) !== [] => 'notice',
            default => 'debug',
        };
        $this->logger->log($level, 'A batch of agent runs ended.', [
            'exit_code' => $code,
            'stderr' => $this->transport->stderr(),
        ]);
    }
}

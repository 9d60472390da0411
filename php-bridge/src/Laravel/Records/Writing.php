<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Records;

use AgentWorkers\Event\Event;
use Illuminate\Database\QueryException;
use Psr\Log\LoggerInterface;

/**
 * Writes one run. Once the database was away, the rest of the run waits in the spool: it is asked no second time, and
 * what was said later is not written sooner.
 *
 * @internal
 */
final class Writing
{
    /** SQLSTATE classes of what no later try will change: the data, or a constraint. */
    private const FAULTY = ['22', '23'];

    private bool $isAway;
    private bool $isFull = false;

    /** @param \Closure(string, list<Change>): mixed $write */
    public function __construct(
        private readonly string $run,
        private readonly Transcript $transcript,
        private readonly \Closure $write,
        private readonly Spool $spool,
        private readonly LoggerInterface $logger,
    ) {
        $this->isAway = $spool->isDatabaseAway();
    }

    public function begin(): void
    {
        $this->make(fn (): array => $this->transcript->begin());
    }

    public function note(Event $event): void
    {
        $this->make(fn (): array => $this->transcript->note($event));
    }

    public function steered(string $id, string $text): void
    {
        $this->transcript->steered($id, $text);
    }

    /** Closes a run that was left before its end. */
    public function end(): void
    {
        $this->make(fn (): array => $this->transcript->end());
    }

    public static function isFaulty(\Throwable $error): bool
    {
        return $error instanceof QueryException
            && in_array(substr((string) $error->getCode(), 0, 2), self::FAULTY, true);
    }

    /** @param \Closure(): list<Change> $changes */
    private function make(\Closure $changes): void
    {
        try {
            $made = $changes();
            $made === [] || $this->write($made);
        } catch (\Throwable $error) {
            $this->warn('Something that an agent run said could not be recorded: ', $error);
        }
    }

    /** @param list<Change> $changes */
    private function write(array $changes): void
    {
        if (!$this->isAway) {
            try {
                ($this->write)($this->run, $changes);

                return;
            } catch (\Throwable $error) {
                if (self::isFaulty($error)) {
                    throw $error;
                }
                $this->isAway = true;
                $this->spool->databaseIsAway();
                $this->warn('The records\' database failed: what this agent run says waits in the spool: ', $error);
            }
        }
        if (!$this->spool->add($this->run, $changes) && !$this->isFull) {
            $this->isFull = true;
            $message = 'The spool of the records is full: the record of this agent run has gaps. Once the database is '
                . 'there, run `php artisan agent:records flush`.';
            $this->logger->error($message, ['run' => $this->run]);
        }
    }

    private function warn(string $message, \Throwable $error): void
    {
        // What a query says of its failure shows what was to be written.
        $why = $error instanceof QueryException ? 'SQLSTATE ' . $error->getCode() : $error->getMessage();
        $this->logger->warning($message . $why, ['run' => $this->run]);
    }
}

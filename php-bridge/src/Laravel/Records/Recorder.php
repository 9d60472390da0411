<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Records;

use AgentWorkers\Event\Event;
use AgentWorkers\Laravel\Events\Announcer;
use AgentWorkers\Laravel\Events\ConversationCreated;
use AgentWorkers\Run;
use Psr\Log\LoggerInterface;

/**
 * Records runs, if the configuration has records switched on. What fails here is logged, and stops no answer.
 *
 * @internal
 */
final class Recorder
{
    /** Seconds that a run gives, after its end, to what earlier ones could not write. */
    private const CATCH_UP_S = 2.0;

    public function __construct(
        private readonly Settings $settings,
        private readonly Database $database,
        private readonly Spool $spool,
        private readonly LoggerInterface $logger,
        private readonly Announcer $announcer,
    ) {
    }

    public function isOn(): bool
    {
        return $this->settings->isOn();
    }

    /**
     * Writes the question now, and what the run says as it says it.
     *
     * @param iterable<Event> $earlier what the run has said before what is read here
     */
    public function follow(Run $run, Facts $facts, iterable $earlier = []): Run
    {
        $writing = $this->begin($facts, $earlier);
        if ($writing === null) {
            return $run;
        }

        $end = function () use ($run, $writing): void {
            $run->isLeft() || $writing->end(); // one that goes on has not ended
            $this->catchUp();
        };

        return $run->onSteer($writing->steered(...))->onEvent($writing->note(...))->onEnd($end);
    }

    /**
     * Writes the question of a run that this process does not follow, and what it has said.
     *
     * @param iterable<Event> $earlier
     */
    public function begin(Facts $facts, iterable $earlier = []): ?Writing
    {
        if (!$this->settings->isOn()) {
            return null;
        }
        $transcript = new Transcript($facts, Keeping::by($this->settings));
        $writing = new Writing($facts->run, $transcript, $this->write(...), $this->spool, $this->logger);
        $writing->begin();
        foreach ($earlier as $event) {
            $writing->note($event);
        }

        return $writing;
    }

    /**
     * Writes what waits in the spool.
     *
     * @return int how many lines
     *
     * @throws \Throwable the database is away
     */
    public function flush(float $longestS = INF): int
    {
        return $this->spool->drain($this->writeSpooled(...), $longestS);
    }

    private function catchUp(): void
    {
        try {
            $this->spool->isEmpty() || $this->spool->isDatabaseAway() || $this->flush(self::CATCH_UP_S);
        } catch (\Throwable) {
            // It is kept for the next one.
        }
    }

    /** @param list<Change> $changes */
    private function write(string $run, array $changes): void
    {
        $created = $this->database->write($run, $changes);
        if ($created !== null) {
            $this->announcer->conversation(new ConversationCreated($created, $run));
        }
    }

    /** @param list<Change> $changes */
    private function writeSpooled(string $run, array $changes): void
    {
        try {
            $this->write($run, $changes);
        } catch (\Throwable $error) {
            if (!Writing::isFaulty($error)) {
                throw $error;
            }
            $this->logger->warning('Something in the spool of the records cannot be written. It was dropped.', [
                'run' => $run,
                'code' => $error->getCode(),
            ]);
        }
    }
}

<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Records;

use AgentWorkers\Event\Event;
use AgentWorkers\Event\EventFactory;
use AgentWorkers\Event\Start;
use AgentWorkers\Run\Ending;

/**
 * Makes rows of what one run says, event by event. The same events make the same rows, here and in the workers' own
 * writer: `tests/records/golden` holds both to that.
 *
 * @internal
 */
final class Transcript
{
    private readonly RunRow $run;
    private readonly Outcome $outcome;
    private readonly Steers $steers;
    private Messages $messages;
    private int $attempt;
    private int $seq = 0;
    private string $at;
    private bool $hasEnded = false;

    public function __construct(private readonly Facts $facts, private readonly Keeping $keeping)
    {
        $this->attempt = $facts->attempt();
        $this->at = $facts->at;
        $this->run = new RunRow($facts, $keeping);
        $this->outcome = new Outcome($keeping, $facts);
        $this->steers = new Steers($facts->words);
        $this->messages = new Messages($facts, $keeping, $this->attempt, $this->steers);
    }

    /** @return list<Change> what is written before the run begins: the question above all */
    public function begin(): array
    {
        return [
            $this->run->change($this->attempt, $this->seq),
            ...$this->attempt > 1 ? [Change::forget($this->attempt)] : [],
            ...$this->run->conversation($this->attempt, $this->at),
            ...$this->messages->question($this->run->conversation),
        ];
    }

    /** Takes note of a word that the run is sent while it works. */
    public function steered(string $id, string $text): void
    {
        $this->steers->note($id, $text);
    }

    /** @return list<Change> none for an event that was there already */
    public function note(Event $event): array
    {
        $begun = $event instanceof Start ? $event->attempt() : null;
        $isAnew = $begun !== null && $begun > $this->attempt;
        $isLate = $begun !== null && $begun < $this->attempt;
        $isKnown = !$isAnew && ($this->hasEnded || $event->seq <= $this->seq);
        if ($isLate || $isKnown || $event->run !== $this->facts->run) {
            return [];
        }
        [$this->seq, $this->at] = [$event->seq, UtcTime::of($event->ts) ?? $this->at];
        $restart = $isAnew ? $this->beginAnew($begun) : [];

        return [...$restart, ...$this->changes($event)];
    }

    /** @return list<Change> of a run that was left before its end */
    public function end(): array
    {
        return $this->note(EventFactory::compose($this->facts->run, $this->seq + 1, 'aborted', Ending::stopped()));
    }

    /** @return list<Change> */
    private function beginAnew(int $attempt): array
    {
        [$this->attempt, $this->hasEnded] = [$attempt, false];
        $this->run->beginAnew($attempt);
        $this->messages = new Messages($this->facts, $this->keeping, $attempt, $this->steers);

        return [Change::forget($attempt), ...$this->messages->question($this->run->conversation)];
    }

    /** @return list<Change> */
    private function changes(Event $event): array
    {
        $known = $this->run->conversation;
        $isTold = $this->run->note($event, $this->at);
        $this->hasEnded = $event->isTerminal();
        $conversation = $this->run->conversation;
        $changes = [
            ...$isTold ? $this->run->conversation($this->attempt, $this->at) : [],
            ...$conversation === $known ? [] : $this->messages->question($conversation),
            ...$this->messages->note($event, $conversation, $this->at),
            ...$event->isTerminal() ? $this->outcome->of($event, $this->run, $this->attempt) : [],
            ...$this->outcome->kept($event, $this->attempt, $this->at),
        ];

        // The run stands first: by its row the writer knows which attempt counts.
        return $changes === [] && !$isTold ? [] : [$this->run->change($this->attempt, $this->seq), ...$changes];
    }
}

<?php

declare(strict_types=1);

namespace AgentWorkers\Run;

use AgentWorkers\Event\Event;
use AgentWorkers\Event\Start;

/**
 * Questions of one kind that a run has open, and the closures that answer them: the first answer counts, and null is
 * none yet.
 *
 * @internal
 *
 * @template Q of Event
 * @template A
 */
abstract class OpenQuestions
{
    /** @var list<\Closure(Q): mixed> */
    private array $handlers = [];
    /** @var array<string, Q> */
    private array $open = [];

    /** @param \Closure(Q): mixed $handler */
    public function askedOf(\Closure $handler): void
    {
        $this->handlers[] = $handler;
    }

    public function note(Event $event): void
    {
        if ($event instanceof Start) {
            $this->open = []; // those of a lost attempt wait for nobody
        }
        $asked = $this->asked($event);
        if ($asked !== null && $this->handlers !== []) {
            $this->open[$asked] = $event;
            $this->ask($asked, $event);
        }
        $settled = $this->resolved($event);
        $settled === null || $this->settled($settled);
    }

    public function settled(string $id): void
    {
        unset($this->open[$id]);
    }

    /** Asks again about questions that have no answer yet. */
    public function tick(): void
    {
        foreach (array_keys($this->open) as $id) {
            $question = $this->open[$id] ?? null; // a handler may have settled another one
            if ($question !== null) {
                $isOver = Expiry::isOver($question->expiresAt);
                $isOver ? $this->settled((string) $id) : $this->ask((string) $id, $question);
            }
        }
    }

    /** The id of the question that this event asks, if it asks one of this kind. */
    abstract protected function asked(Event $event): ?string;

    /** The id of the question that this event tells to be settled. */
    abstract protected function resolved(Event $event): ?string;

    /**
     * @return A|null
     *
     * @throws \UnexpectedValueException it is no answer
     */
    abstract protected function read(mixed $answer): mixed;

    /**
     * @param Q $question
     * @param A $answer
     */
    abstract protected function send(Event $question, mixed $answer): void;

    /** @param Q $question */
    abstract protected function failed(Event $question, \Throwable $error): void;

    /** @param Q $question */
    private function ask(string $id, Event $question): void
    {
        try {
            foreach ($this->handlers as $handler) {
                $answer = $this->read($handler($question));
                if ($answer !== null) {
                    break;
                }
            }
            if ($answer !== null && isset($this->open[$id])) { // the handler may have answered by itself
                $this->send($question, $answer);
            }
        } catch (\Throwable $error) {
            if (isset($this->open[$id])) {
                $this->failed($question, $error);
            }
            $this->settled($id);
        }
    }
}

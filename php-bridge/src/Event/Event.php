<?php

declare(strict_types=1);

namespace AgentWorkers\Event;

/** One event of a run. `data` is the whole JSON object, with the fields that this version has no property for. */
abstract class Event implements \JsonSerializable
{
    public const TERMINAL = ['done', 'error', 'aborted'];

    public readonly int $v;
    public readonly int $seq;
    public readonly string $run;
    public readonly string $ts;
    public readonly string $type;
    /** How much was cut from the event to fit its line. */
    public readonly ?int $truncatedBytes;
    /** The SHA-256 of the line before, where the workers' operator has lines chained. */
    public readonly ?string $prev;

    /**
     * @internal EventFactory makes events
     *
     * @param array<array-key, mixed> $data
     * @param string|null $json the line it was read from: an array cannot tell `{}` from `[]`
     */
    final public function __construct(
        public readonly array $data,
        private readonly ?string $json = null,
    ) {
        $fields = new Fields($data);
        $this->v = $fields->int('v');
        $this->seq = $fields->int('seq');
        $this->run = $fields->string('run');
        $this->ts = $fields->string('ts');
        $this->type = $fields->string('type');
        $this->truncatedBytes = $fields->intOrNull('truncated_bytes');
        $this->prev = $fields->stringOrNull('prev');
        $this->read($fields);
    }

    abstract protected function read(Fields $fields): void;

    /** Exactly one event of a run is terminal: its last. */
    public function isTerminal(): bool
    {
        return in_array($this->type, self::TERMINAL, true);
    }

    /** The event on one line, as the worker wrote it. */
    public function toJson(): string
    {
        return $this->json ?? json_encode($this->data, JSON_THROW_ON_ERROR | JSON_INVALID_UTF8_SUBSTITUTE);
    }

    public function jsonSerialize(): mixed
    {
        return json_decode($this->toJson(), false, 512, JSON_THROW_ON_ERROR);
    }
}

<?php

declare(strict_types=1);

namespace AgentWorkers\Sse;

use AgentWorkers\Event\Event;

/**
 * An event's JSON object as it came, for encoders that pass its fields on: `{}` stays one, and nothing unknown is lost.
 *
 * @internal
 */
final class RawEvent
{
    private const ENVELOPE = ['v', 'seq', 'run', 'ts', 'type'];

    public readonly string $type;
    public readonly string $run;
    public readonly \stdClass $fields;

    public function __construct(Event $event)
    {
        $this->type = $event->type;
        $this->run = $event->run;
        $this->fields = JsonText::decode($event->toJson());
    }

    /** Returns its fields without the envelope, and without those that are told already; null if there are none. */
    public function own(string ...$told): ?\stdClass
    {
        $own = (array) $this->fields;
        foreach ([...self::ENVELOPE, ...$told] as $name) {
            unset($own[$name]);
        }

        return $own === [] ? null : (object) $own;
    }

    public function value(string $name): mixed
    {
        return $this->fields->{$name} ?? null;
    }

    /** Returns a field that should be a text; an empty one where it is none. */
    public function text(string $name): string
    {
        return self::textOf($this->fields, $name);
    }

    public function has(string $name): bool
    {
        return property_exists($this->fields, $name);
    }

    /** Tells whether these fields are texts. */
    public function hasTexts(string ...$names): bool
    {
        return array_filter($names, fn (string $name): bool => !is_string($this->value($name))) === [];
    }

    /** @return list<int> the numbers of the blocks that a `discard` names, in order */
    public function blocks(): array
    {
        $blocks = $this->value('blocks');
        $numbers = is_array($blocks) ? array_values(array_unique(array_filter($blocks, is_int(...)))) : [];
        sort($numbers);

        return $numbers;
    }

    public static function textOf(?\stdClass $fields, string $name): string
    {
        $value = $fields?->{$name} ?? null;

        return is_string($value) ? $value : '';
    }
}

<?php

declare(strict_types=1);

namespace AgentWorkers\Tests;

use AgentWorkers\Event\Delta;
use AgentWorkers\Event\Discard;
use AgentWorkers\Event\Event;
use AgentWorkers\Event\Start;
use AgentWorkers\Event\Thinking;

/** What an application makes of a run by the properties of its events: a reading, as conformance/README.md says. */
final class Reading
{
    /** @var list<list<mixed>> */
    private array $entries = [];
    /** @var array<class-string<Event>, array<int, string>> the text of each block */
    private array $blocks = [Delta::class => [], Thinking::class => []];

    /** @param array<string, list<string>> $facts the fields that count, by the type of their event */
    public function __construct(private readonly array $facts)
    {
    }

    public function add(Event $event): void
    {
        if ($event instanceof Start && $event->attempt() > 1) {
            [$this->entries, $this->blocks] = [[], [Delta::class => [], Thinking::class => []]];
        }
        if ($event instanceof Delta || $event instanceof Thinking) {
            $before = $this->blocks[$event::class][$event->block] ?? '';
            $this->blocks[$event::class][$event->block] = $before . $event->text;
        } elseif (isset($this->facts[$event->type])) {
            $property = static fn (string $name): mixed => $event->{lcfirst(str_replace('_', '', ucwords($name, '_')))};
            $this->entries[] = [$event->type, ...array_map($property, $this->facts[$event->type])];
        }
        foreach ($event instanceof Discard ? $event->blocks : [] as $block) {
            unset($this->blocks[Delta::class][$block], $this->blocks[Thinking::class][$block]);
        }
    }

    public function digest(): string
    {
        array_walk($this->blocks, static fn (array &$texts): bool => ksort($texts));

        return hash('sha256', self::encoded([$this->entries, ...array_map(implode(...), array_values($this->blocks))]));
    }

    private static function encoded(mixed $value): string
    {
        if (is_array($value) && array_is_list($value)) {
            return 'l' . implode('', array_map(self::encoded(...), $value)) . 'e';
        }
        if (is_array($value)) {
            $fields = array_filter($value, static fn (mixed $item): bool => $item !== null);
            ksort($fields, SORT_STRING);
            $field = static fn (int|string $name, mixed $item): string => self::encoded("$name") . self::encoded($item);

            return $fields === [] ? 'le' : 'd' . implode('', array_map($field, array_keys($fields), $fields)) . 'e';
        }

        return match (true) {
            $value === null => 'n',
            is_bool($value) => $value ? 't' : 'f',
            is_int($value) => "i{$value}e",
            default => strlen($value) . ":$value",
        };
    }
}

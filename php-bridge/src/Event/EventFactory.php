<?php

declare(strict_types=1);

namespace AgentWorkers\Event;

use AgentWorkers\Exception\MalformedEventException;

/** Makes typed events from JSON lines and arrays. */
final class EventFactory
{
    public const VERSION = 1;

    /** @var array<string, class-string<Event>> */
    private const TYPES = [
        'start' => Start::class,
        'session' => Session::class,
        'delta' => Delta::class,
        'thinking' => Thinking::class,
        'tool_call' => ToolCall::class,
        'tool_output' => ToolOutput::class,
        'tool_result' => ToolResult::class,
        'permission_request' => PermissionRequest::class,
        'permission_resolved' => PermissionResolved::class,
        'question' => Question::class,
        'question_resolved' => QuestionResolved::class,
        'steered' => Steered::class,
        'app_tool_call' => AppToolCall::class,
        'task' => Task::class,
        'retry' => Retry::class,
        'discard' => Discard::class,
        'notice' => Notice::class,
        'ping' => Ping::class,
        'ack' => Ack::class,
        'done' => Done::class,
        'error' => ErrorEvent::class,
        'aborted' => Aborted::class,
    ];

    /** @throws MalformedEventException the line is not an event */
    public static function fromJson(string $line): Event
    {
        try {
            $data = json_decode($line, true, 512, JSON_THROW_ON_ERROR);
        } catch (\JsonException $error) {
            throw new MalformedEventException('not JSON: ' . $error->getMessage());
        }
        self::check($data);

        return self::make($data, $line);
    }

    /**
     * @param array<string, mixed> $data with the envelope
     *
     * @throws MalformedEventException
     */
    public static function fromArray(array $data): Event
    {
        self::check($data);

        return self::make($data);
    }

    /**
     * Makes an event that this side adds to a run.
     *
     * @param array<string, mixed> $body
     */
    public static function compose(string $run, int $seq, string $type, array $body): Event
    {
        $ts = (new \DateTimeImmutable('now', new \DateTimeZone('UTC')))->format('Y-m-d\TH:i:s.v\Z');

        $event = ['v' => self::VERSION, 'seq' => $seq, 'run' => $run, 'ts' => $ts, 'type' => $type] + $body;
        $json = json_encode($event, JSON_THROW_ON_ERROR | JSON_INVALID_UTF8_SUBSTITUTE);

        return self::make(json_decode($json, true, 512, JSON_THROW_ON_ERROR), $json);
    }

    /** @param array<string, mixed> $data */
    private static function make(array $data, ?string $line = null): Event
    {
        $class = self::TYPES[$data['type']] ?? UnknownEvent::class;

        return new $class($data, $line);
    }

    /** @phpstan-assert array<string, mixed> $data */
    private static function check(mixed $data): void
    {
        if (!is_array($data) || !is_int($data['v'] ?? null)) {
            throw new MalformedEventException('the field v is missing or not a number');
        }
        if ($data['v'] !== self::VERSION) {
            throw new MalformedEventException("version {$data['v']} of the contract, not " . self::VERSION, true);
        }
        foreach (['run', 'ts', 'type'] as $name) {
            if (!is_string($data[$name] ?? null)) {
                throw new MalformedEventException("the field $name is missing or not a string");
            }
        }
        if (!is_int($data['seq'] ?? null)) {
            throw new MalformedEventException('the field seq is missing or not a number');
        }
    }
}

<?php

declare(strict_types=1);

namespace AgentWorkers\Gateway;

use AgentWorkers\Event\Event;
use AgentWorkers\Event\EventFactory;
use AgentWorkers\Event\Fields;
use AgentWorkers\Event\Usage;
use AgentWorkers\Exception\MalformedEventException;
use AgentWorkers\Exception\WebhookRefusedException;

/** What the gateway tells of a run: docs/gateway.md has an example. `data` has what this version does not know, too. */
final class Webhook
{
    public const ENDED = 'run.ended';
    public const ASKED = 'run.asked';
    private const DEPTH = 128;

    /**
     * @param string $type run.ended, or run.asked where the agent waits for an answer
     * @param string $at when it was told, as ISO 8601 has it
     * @param string $worker name of its program, such as agent-chat
     * @param array{type: string, id: string}|null $subject
     * @param array<string, mixed> $metadata
     * @param Event|null $event the terminal event, or what is asked; null where there is none that can be read
     * @param string|null $transcript address of the run's events, which are read with a token of its user
     * @param string|null $chainHead SHA-256 of the run's last line, where its lines are chained
     * @param list<string> $truncated what was cut or left out, such as event.text
     * @param array<string, mixed> $data
     */
    private function __construct(
        public readonly string $id,
        public readonly string $type,
        public readonly string $at,
        public readonly string $run,
        public readonly string $worker,
        public readonly ?string $skill,
        public readonly ?string $user,
        public readonly ?string $tenant,
        public readonly ?string $conversation,
        public readonly ?array $subject,
        public readonly ?string $goal,
        public readonly array $metadata,
        public readonly ?Event $event,
        public readonly ?Usage $usage,
        public readonly ?float $costUsd,
        public readonly ?string $sessionId,
        public readonly ?string $transcript,
        public readonly ?string $chainHead,
        public readonly array $truncated,
        public readonly array $data,
    ) {
    }

    /**
     * @param string $id header webhook-id: the same each time that it is sent
     *
     * @throws WebhookRefusedException it tells of no run
     */
    public static function fromJson(string $id, string $body): self
    {
        $said = json_decode($body, true, self::DEPTH);
        [$type, $at, $data] = [$said['type'] ?? null, $said['timestamp'] ?? null, $said['data'] ?? null];
        $run = is_array($data) ? $data['run'] ?? null : null;
        if (!is_string($type) || !is_string($at) || !is_string($run) || $run === '') {
            throw new WebhookRefusedException('The webhook tells of no run.');
        }
        $fields = new Fields($data);
        $subject = $fields->arrayOrNull('subject');
        $isPair = is_string($subject['type'] ?? null) && is_string($subject['id'] ?? null);

        return new self(
            $id,
            $type,
            $at,
            $run,
            $fields->string('worker'),
            $fields->stringOrNull('skill'),
            $fields->stringOrNull('user'),
            $fields->stringOrNull('tenant'),
            $fields->stringOrNull('conversation'),
            $isPair ? $subject : null,
            $fields->stringOrNull('goal'),
            $fields->array('metadata'),
            self::event($run, $fields->array('event')),
            $fields->usageOrNull('usage'),
            $fields->floatOrNull('cost_usd'),
            $fields->stringOrNull('session_id'),
            $fields->stringOrNull('transcript'),
            $fields->stringOrNull('chain_head'),
            array_values(array_filter($fields->array('truncated'), is_string(...))),
            $data,
        );
    }

    /** Whether the run has ended. */
    public function isEnded(): bool
    {
        return $this->type === self::ENDED && $this->event?->isTerminal() === true;
    }

    /** @param array<array-key, mixed> $told */
    private static function event(string $run, array $told): ?Event
    {
        try {
            return EventFactory::fromArray(['v' => EventFactory::VERSION, 'run' => $run] + $told);
        } catch (MalformedEventException) {
            return null;
        }
    }
}

<?php

declare(strict_types=1);

namespace AgentWorkers\Event;

/** The run ended with an answer. */
final class Done extends Event
{
    public readonly string $stopReason;
    public readonly string $text;
    /** A value that satisfies the request's `output_schema`; objects become arrays. */
    public readonly mixed $output;
    /** Continues the conversation; null if that could not be saved. */
    public readonly ?string $sessionId;
    public readonly Usage $usage;
    /** An estimate. */
    public readonly ?float $costUsd;
    /** Whether `usage` counts subagents, too; null if unknown. */
    public readonly ?string $usageScope;
    /** economy or live, of a run of the engine messages of a batch in the economy lane; null otherwise. */
    public readonly ?string $lane;
    public readonly int $durationMs;
    public readonly int $turns;
    /** @var array<string, Usage>|null by name of the model */
    public readonly ?array $models;
    /** @var list<array{tool_use_id: string, name: string, input?: array<string, mixed>}>|null */
    public readonly ?array $denials;
    /**
     * The call that waits for a decision if `stopReason` is permission_required: Request::decision() answers it.
     *
     * @var array{tool_use_id: string, name: string, input?: array<string, mixed>}|null
     */
    public readonly ?array $pending;
    /** @var array<string, mixed>|null */
    public readonly ?array $metadata;
    /** @var array{type: string, id: string}|null what the run is about */
    public readonly ?array $subject;
    public readonly ?string $user;
    public readonly ?string $goal;
    public readonly ?string $skill;
    public readonly ?string $skillVersion;
    /** Whether a person should look at the output; null where the skill does not say. */
    public readonly ?bool $needsReview;

    protected function read(Fields $fields): void
    {
        $models = $fields->arrayOrNull('models');
        $this->stopReason = $fields->string('stop_reason');
        $this->text = $fields->string('text');
        $this->output = $fields->mixed('output');
        $this->sessionId = $fields->stringOrNull('session_id');
        $this->usage = Usage::fromArray($fields->array('usage'));
        $this->costUsd = $fields->floatOrNull('cost_usd');
        $this->usageScope = $fields->stringOrNull('usage_scope');
        $this->lane = $fields->stringOrNull('lane');
        $this->durationMs = $fields->int('duration_ms');
        $this->turns = $fields->int('turns');
        $this->models = $models === null ? null : array_map(Usage::fromArray(...), array_filter($models, 'is_array'));
        $this->denials = $fields->arrayOrNull('denials');
        $this->pending = $fields->arrayOrNull('pending');
        $this->metadata = $fields->arrayOrNull('metadata');
        $this->subject = $fields->arrayOrNull('subject');
        $this->user = $fields->stringOrNull('user');
        $this->goal = $fields->stringOrNull('goal');
        $this->skill = $fields->stringOrNull('skill');
        $this->skillVersion = $fields->stringOrNull('skill_version');
        $this->needsReview = $fields->boolOrNull('needs_review');
    }

    /** Returns the event with the whole text, which was too long for its line. */
    public function withText(string $text): self
    {
        $done = (array) $this->jsonSerialize();
        $done['text'] = $text;
        unset($done['truncated_bytes']);
        $json = json_encode($done, JSON_THROW_ON_ERROR);

        return new self(json_decode($json, true, 512, JSON_THROW_ON_ERROR), $json);
    }
}

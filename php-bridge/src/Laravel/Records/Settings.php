<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Records;

use AgentWorkers\Exception\InvalidArgumentException;
use Illuminate\Contracts\Config\Repository;

/**
 * What config/agent-workers.php says of records.
 *
 * @internal
 */
final class Settings
{
    public const EVENTS = [
        'permission_resolved', 'question_resolved', 'retry', 'notice', 'done', 'error', 'aborted',
    ];
    private const MAX_BYTES = 16 * 1024 * 1024;

    public function __construct(private readonly Repository $config)
    {
    }

    public function isOn(): bool
    {
        return (bool) $this->setting('enabled', false);
    }

    public function connection(): ?string
    {
        $name = $this->setting('connection');

        return is_string($name) && $name !== '' ? $name : null;
    }

    /** @param string $name as the schema has it, such as agent_runs */
    public function table(string $name): string
    {
        return $this->setting('prefix', '') . $name;
    }

    /** @throws InvalidArgumentException there is no such level */
    public function keep(): Keep
    {
        $name = (string) $this->setting('keep', Keep::Everything->value);

        return Keep::tryFrom($name) ?? throw new InvalidArgumentException(sprintf(
            '`records.keep` of config/agent-workers.php cannot be %s. It is one of: %s.',
            $name,
            implode(', ', array_column(Keep::cases(), 'value')),
        ));
    }

    public function redaction(): Redaction
    {
        return new Redaction(array_values((array) $this->setting('redact', [])));
    }

    /** @return list<string> types of events */
    public function events(): array
    {
        return array_values((array) $this->setting('events', self::EVENTS));
    }

    public function isEncrypted(): bool
    {
        return (bool) $this->setting('encrypt', false);
    }

    public function spool(): string
    {
        return (string) ($this->setting('spool.path') ?? storage_path('agent-workers/records.spool'));
    }

    public function mostSpooled(): int
    {
        return (int) $this->setting('spool.max_bytes', self::MAX_BYTES);
    }

    private function setting(string $name, mixed $default = null): mixed
    {
        return $this->config->get("agent-workers.records.$name", $default);
    }
}

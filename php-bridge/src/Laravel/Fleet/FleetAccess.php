<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Fleet;

use AgentWorkers\Exception\LogicException;
use AgentWorkers\Fleet\Fleet;
use AgentWorkers\Fleet\JobOptions;
use AgentWorkers\Fleet\JobStatus;
use Illuminate\Contracts\Config\Repository;

/**
 * The fleet of config/agent-workers.php, by a connection that the process keeps.
 *
 * @internal
 */
final class FleetAccess
{
    /** @var array{mixed, Fleet}|null the settings, and what was made of them */
    private ?array $made = null;

    public function __construct(private readonly Repository $config)
    {
    }

    public function isThere(): bool
    {
        return ($this->setting('url') ?: $this->setting('connection') ?: null) !== null;
    }

    /** @throws LogicException there is none */
    public function fleet(): Fleet
    {
        $address = $this->address() ?? throw new LogicException(
            'There is no fleet. Set AGENT_WORKERS_FLEET to the address of its Redis, such as redis://127.0.0.1:6379/0, '
                . 'or name a connection in `fleet` of config/agent-workers.php.',
        );
        $settings = [
            $address,
            (string) $this->setting('prefix', Fleet::PREFIX),
            (float) $this->setting('patience', 30.0),
            (float) $this->setting('keep', 86_400.0),
        ];
        if ($this->made === null || $this->made[0] !== $settings) {
            $this->made = [$settings, new Fleet(...$settings)];
        }

        return $this->made[1];
    }

    /** What a job is where nothing else is said. */
    public function job(): JobOptions
    {
        $queue = $this->setting('queue', 'default');

        return $queue === null || $queue === 'default' ? JobOptions::make() : JobOptions::make()->queue($queue);
    }

    /** Names an owner among those of all applications that share the fleet. */
    public function owner(string $owner): string
    {
        return $this->application() . ":$owner";
    }

    /** Whether a run was submitted by this application. */
    public function isOurs(JobStatus $job): bool
    {
        // An owner has no colon; an application's name may, and begin as another's does.
        return $job->owner === null
            || substr($job->owner, 0, (int) strrpos($job->owner, ':')) === $this->application();
    }

    /** The group of those processes that run the application's tools. */
    public function toolGroup(): string
    {
        return 'tools:' . $this->application();
    }

    private function application(): string
    {
        return (string) $this->setting('application', $this->config->get('app.name', ''));
    }

    /** Whether a run ends when the browser goes that began it. */
    public function endsWhenLeft(): bool
    {
        return $this->setting('on_disconnect', 'continue') === 'abort';
    }

    /** @return string|array<string, mixed>|null */
    private function address(): string|array|null
    {
        $url = $this->setting('url');
        $connection = $this->setting('connection');
        if (is_string($url) && $url !== '') {
            return $url;
        }
        if (!is_string($connection) || $connection === '') {
            return null;
        }
        $settings = $this->config->get("database.redis.$connection");

        return is_array($settings) ? $settings : throw new LogicException(
            "There is no connection $connection in `redis` of config/database.php, which `fleet.connection` names.",
        );
    }

    private function setting(string $name, mixed $default = null): mixed
    {
        return $this->config->get("agent-workers.fleet.$name", $default);
    }
}

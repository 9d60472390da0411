<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Gateway;

use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Laravel\Agents;
use Illuminate\Support\Carbon;
use Illuminate\Support\Str;
use Illuminate\Support\Traits\Conditionable;
use Illuminate\Support\Traits\Tappable;

/**
 * A token for the gateway: what its bearer may start there, or look at, for a short time. What stands in it the browser
 * cannot change.
 */
final class PendingToken implements \Stringable
{
    use Conditionable;
    use Tappable;

    private const USUAL_S = 60;
    /** What the gateway takes for a token that starts a run. */
    private const LONGEST_S = 120;
    /** What it takes for one that does not, unless `limits.token_s` of its settings is another. */
    private const LONGEST_READING_S = 3600;
    private const RUN = '/^[A-Za-z0-9._:-]{1,128}$/D';
    private const STARTING = ['preset', 'worker', 'skill', 'once'];
    private const NARROW = ['limits', 'max_turns', 'max_tokens', 'tools', 'app_tools', 'thinking'];

    /** @var array<string, mixed> */
    private array $claims;
    private int $seconds = self::USUAL_S;

    /** @internal Agent::token() makes it */
    public function __construct(private readonly Settings $settings, private readonly Agents $agents, string $user)
    {
        if ($user === '' || mb_strlen($user) > 256) {
            throw new InvalidArgumentException('A token is for a user, whose id has 1 to 256 characters.');
        }
        $this->claims = ['sub' => $user];
    }

    /** It may start what this preset of the gateway says. */
    public function preset(string $preset): self
    {
        return $this->claim('preset', $preset);
    }

    /**
     * It may start the only preset of this worker; beside preset(), that must be one of it.
     *
     * @param string $worker an entry of `workers` in config/agent-workers.php, such as chat
     *
     * @throws \InvalidArgumentException there is no such worker
     */
    public function worker(string $worker): self
    {
        return $this->claim('worker', basename($this->agents->programOf($worker)));
    }

    /** It may start this skill. */
    public function skill(string $skill): self
    {
        return $this->claim('skill', $skill);
    }

    /** What the run is about, among your own things, such as ('partner', '417'). */
    public function subject(string $type, string|int $id): self
    {
        return $this->claim('subject', ['type' => $type, 'id' => (string) $id]);
    }

    /** What the run is meant to achieve. */
    public function goal(string $goal): self
    {
        return $this->claim('goal', $goal);
    }

    /** The customer that the user belongs to: only tokens of both see the runs. */
    public function tenant(string|int $tenant): self
    {
        return $this->claim('tenant', (string) $tenant);
    }

    /** The only conversation that it may go on with: a UUID. */
    public function conversation(string $conversation): self
    {
        if (!Str::isUuid($conversation)) {
            throw new InvalidArgumentException('The conversation of a token must be a UUID.');
        }

        return $this->claim('conversation', $conversation);
    }

    /**
     * The runs that it may follow, stop and answer; without them, all of its user's.
     *
     * @param list<string> $runs
     */
    public function runs(array $runs): self
    {
        foreach ($runs as $run) {
            if (!is_string($run) || preg_match(self::RUN, $run) !== 1) {
                throw new InvalidArgumentException('A token names runs by their ids.');
            }
        }

        return $this->claim('runs', array_values($runs));
    }

    /** It starts one run only. */
    public function once(bool $once = true): self
    {
        return $this->claim('once', $once);
    }

    /** It can follow runs, and nothing else; with runs(), EventSource may have it in its address. */
    public function readOnly(): self
    {
        return $this->claim('use', 'read');
    }

    /**
     * Takes something away from the preset. The gateway refuses what would add to it.
     *
     * @param array<string, mixed> $less limits, max_turns, max_tokens, tools, app_tools (names), thinking (false)
     */
    public function narrow(array $less): self
    {
        $unknown = array_diff(array_keys($less), self::NARROW);
        if ($unknown !== []) {
            throw new InvalidArgumentException(sprintf(
                'A token cannot narrow %s, but: %s.',
                implode(', ', $unknown),
                implode(', ', self::NARROW),
            ));
        }

        $less = array_filter($less, static fn (mixed $value, string $name): bool
            => $name !== 'limits' || $value !== [], ARRAY_FILTER_USE_BOTH);

        return $this->claim('narrow', $less === [] ? null : $less);
    }

    /** @param int $seconds at most 120; for readOnly() an hour */
    public function expiresIn(int $seconds): self
    {
        $this->seconds = $seconds;

        return $this;
    }

    /**
     * Signs it.
     *
     * @throws InvalidArgumentException it lives too long, or there is no key that could sign it
     */
    public function toString(): string
    {
        return $this->settings->key()->token($this->claims());
    }

    public function __toString(): string
    {
        return $this->toString();
    }

    /**
     * What it says if it is signed now.
     *
     * @return array<string, mixed>
     */
    public function claims(): array
    {
        $isReading = isset($this->claims['use']);
        $longest = $isReading ? self::LONGEST_READING_S : self::LONGEST_S;
        if ($this->seconds < 1 || $this->seconds > $longest) {
            throw new InvalidArgumentException("A token like this lives for 1 to $longest seconds: see expiresIn().");
        }
        if ($isReading && array_intersect_key($this->claims, array_flip(self::STARTING)) !== []) {
            throw new InvalidArgumentException('A token for reading starts nothing: leave out what it would start.');
        }
        $now = Carbon::now()->getTimestamp();
        $claims = ['aud' => $this->settings->audience(), 'iat' => $now, 'exp' => $now + $this->seconds]
            + $this->claims
            + ['iss' => $this->settings->issuer(), 'jti' => (string) Str::uuid()];

        return array_filter($claims, static fn (mixed $value): bool => $value !== null);
    }

    private function claim(string $name, mixed $value): self
    {
        $this->claims[$name] = $value;

        return $this;
    }
}

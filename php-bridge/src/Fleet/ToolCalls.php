<?php

declare(strict_types=1);

namespace AgentWorkers\Fleet;

/**
 * Who runs a call of the application's tool: of all who read the run, the first that takes it.
 *
 * @internal
 */
final class ToolCalls
{
    /** How long it stays taken after the model has been told that it failed. */
    private const MARGIN_S = 60.0;

    public function __construct(private readonly Fleet $fleet)
    {
    }

    /** Takes a call, unless somebody has it. */
    public function claim(string $run, int $attempt, string $call, string $expiresAt): bool
    {
        $redis = $this->fleet->connection();
        $key = $redis->key("run:$run:call:$attempt:$call");
        $till = (float) (strtotime($expiresAt) ?: time());
        $ms = (int) ((max(0.0, $till - microtime(true)) + self::MARGIN_S) * 1000);
        $token = bin2hex(random_bytes(8)); // the answer to a first try may have been lost

        return $redis->ask(static fn (\Redis $redis): bool
            => $redis->set($key, $token, ['NX', 'PX' => $ms]) === true || $redis->get($key) === $token);
    }
}

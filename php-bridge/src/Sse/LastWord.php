<?php

declare(strict_types=1);

namespace AgentWorkers\Sse;

/**
 * Calls a closure if PHP ends inside a stream: after a fatal error or exit() no `catch` runs.
 *
 * @internal
 */
final class LastWord
{
    private static ?self $expected = null;
    private static bool $isRegistered = false;

    /** @param \Closure(): void $say */
    private function __construct(private readonly \Closure $say)
    {
    }

    /** @param \Closure(): void $say */
    public static function expect(\Closure $say): self
    {
        if (!self::$isRegistered) {
            self::$isRegistered = true; // once in a process that serves many requests
            register_shutdown_function(static function (): void {
                $word = self::$expected;
                self::$expected = null;
                $word === null || ($word->say)();
            });
        }

        return self::$expected = new self($say);
    }

    public function release(): void
    {
        if (self::$expected === $this) {
            self::$expected = null;
        }
    }
}

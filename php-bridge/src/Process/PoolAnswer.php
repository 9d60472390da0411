<?php

declare(strict_types=1);

namespace AgentWorkers\Process;

/**
 * Takes the pool's own lines, which are no events, out of what comes from it: the last one has the exit status. They
 * may come in any pieces.
 *
 * @internal
 */
final class PoolAnswer
{
    private const MARK = "\n{\"pool\"";
    private const LONGEST = 1024;

    /** What may begin one of these lines. Its first byte is not to be passed on any more. */
    private string $held = "\n";
    private ?int $exit = null;

    /** @return string what a worker wrote */
    public function push(string $bytes): string
    {
        [$bytes, $told] = [$this->held . $bytes, ''];
        while ($this->exit === null && ($at = strpos($bytes, self::MARK)) !== false) {
            $told .= substr($bytes, 1, $at);
            $end = strpos($bytes, "\n", $at + 1);
            if ($end === false) {
                $this->held = substr($bytes, $at, self::LONGEST);

                return $told;
            }
            $this->exit = self::exitIn(substr($bytes, $at + 1, $end - $at - 1));
            $bytes = substr($bytes, $end);
        }
        if ($this->exit !== null) {
            return $told;
        }
        $this->held = substr($bytes, -max(1, self::begun($bytes)));

        return $told . substr($bytes, 1, strlen($bytes) - strlen($this->held));
    }

    /** The exit status of the last line; null where it has not come. */
    public function exit(): ?int
    {
        return $this->exit;
    }

    private static function exitIn(string $line): ?int
    {
        $last = json_decode($line, true);

        return is_int($last['exit'] ?? null) ? $last['exit'] : null;
    }

    /** How many bytes at the end may begin the mark. */
    private static function begun(string $bytes): int
    {
        for ($length = min(strlen(self::MARK) - 1, strlen($bytes)); $length > 0; $length--) {
            if (substr_compare($bytes, substr(self::MARK, 0, $length), -$length) === 0) {
                return $length;
            }
        }

        return 0;
    }
}

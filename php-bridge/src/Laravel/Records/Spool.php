<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Records;

use AgentWorkers\Exception\InvalidArgumentException;

/**
 * A file that keeps what could not be written while the database was away, one line for each run's changes. What does
 * not fit any more is lost, which is told.
 *
 * @internal
 */
final class Spool
{
    /** Seconds for which nobody tries the database again, once it was found to be away. */
    private const PAUSE_S = 5;
    private const TAKEN = '.taken';
    private const LOCK = '.lock';
    private const AWAY = '.away';

    public function __construct(private readonly Settings $settings)
    {
    }

    /**
     * @param list<Change> $changes
     *
     * @return bool whether they fitted
     */
    public function add(string $run, array $changes): bool
    {
        $line = Content::json(['run' => $run, 'changes' => array_map(
            static fn (Change $change): array => $change->toArray(),
            $changes,
        )]) . "\n";
        $file = $this->file('');
        $handle = $this->makeDirectory() ? @fopen($file, 'ab') : false;
        if ($handle === false) {
            throw new InvalidArgumentException(
                'The file `records.spool.path` of config/agent-workers.php cannot be written. Name one in a directory '
                    . 'that the web server\'s user and the queue\'s may write to.',
            );
        }
        @chmod($file, 0600);
        flock($handle, LOCK_EX);
        try {
            fseek($handle, 0, SEEK_END);
            if (ftell($handle) + strlen($line) > $this->settings->mostSpooled()) {
                return false;
            }

            return fwrite($handle, $line) === strlen($line);
        } finally {
            fclose($handle);
        }
    }

    public function isEmpty(): bool
    {
        clearstatcache();

        return (int) @filesize($this->file('')) === 0 && !is_file($this->file(self::TAKEN));
    }

    /** Whether the database was away a moment ago: asking it again would only hold up an answer. */
    public function isDatabaseAway(): bool
    {
        clearstatcache();
        $found = @filemtime($this->file(self::AWAY));

        return $found !== false && time() - $found < self::PAUSE_S;
    }

    public function databaseIsAway(): void
    {
        $this->makeDirectory() && @touch($this->file(self::AWAY));
    }

    /**
     * Hands out what is kept, in its order, and forgets it. What the writer throws ends it: the rest is kept.
     *
     * @param \Closure(string, list<Change>): mixed $write takes a run, and its changes
     * @param float $longestS seconds after which the rest waits for another time
     *
     * @return int how many lines were written; none where another process is at it
     */
    public function drain(\Closure $write, float $longestS = INF): int
    {
        if ($this->isEmpty()) {
            return 0;
        }
        $lock = @fopen($this->file(self::LOCK), 'cb');
        if ($lock === false || !flock($lock, LOCK_EX | LOCK_NB)) {
            return 0;
        }
        try {
            [$count, $end] = [0, microtime(true) + $longestS];
            // What a process had taken that was killed comes first: to write it again changes nothing.
            while (microtime(true) < $end && $this->take()) {
                $count += $this->drainTaken($write, $end);
            }

            return $count;
        } finally {
            fclose($lock);
        }
    }

    /** @param \Closure(string, list<Change>): bool $isKept */
    public function filter(\Closure $isKept): void
    {
        $kept = [];
        $this->drain(static function (string $run, array $changes) use ($isKept, &$kept): void {
            $isKept($run, $changes) && $kept[] = [$run, $changes];
        });
        foreach ($kept as [$run, $changes]) {
            $this->add($run, $changes);
        }
    }

    private function take(): bool
    {
        $taken = $this->file(self::TAKEN);
        clearstatcache();
        if (is_file($taken)) {
            return true;
        }
        $file = $this->file('');
        if ((int) @filesize($file) === 0) {
            return false;
        }
        $handle = @fopen($file, 'rb+');
        if ($handle === false) {
            return false;
        }
        flock($handle, LOCK_EX); // who appends holds it, too
        $isTaken = copy($file, $taken) && chmod($taken, 0600) && ftruncate($handle, 0);
        fclose($handle);

        return $isTaken;
    }

    /** @param \Closure(string, list<Change>): mixed $write */
    private function drainTaken(\Closure $write, float $end): int
    {
        $taken = $this->file(self::TAKEN);
        $handle = fopen($taken, 'rb');
        [$count, $place] = [0, 0];
        try {
            while (microtime(true) < $end && ($line = fgets($handle)) !== false) {
                $data = json_decode($line, true);
                if (is_array($data) && isset($data['run'], $data['changes'])) { // not one that was cut off
                    $write((string) $data['run'], array_map(Change::fromArray(...), array_values($data['changes'])));
                    $count++;
                }
                $place = (int) ftell($handle);
            }
        } finally {
            $this->keepRest((string) stream_get_contents($handle, -1, $place));
            fclose($handle);
        }

        return $count;
    }

    private function keepRest(string $rest): void
    {
        [$taken, $new] = [$this->file(self::TAKEN), $this->file(self::TAKEN . '.new')];
        if ($rest === '') {
            unlink($taken);
        } elseif (file_put_contents($new, $rest) === strlen($rest)) {
            chmod($new, 0600);
            rename($new, $taken);
        }
    }

    private function makeDirectory(): bool
    {
        $directory = dirname($this->file(''));

        return is_dir($directory) || @mkdir($directory, 0700, true) || is_dir($directory);
    }

    private function file(string $ending): string
    {
        return $this->settings->spool() . $ending;
    }
}

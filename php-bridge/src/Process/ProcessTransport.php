<?php

declare(strict_types=1);

namespace AgentWorkers\Process;

use Symfony\Component\Process\Exception\ExceptionInterface;
use Symfony\Component\Process\Exception\ProcessTimedOutException;
use Symfony\Component\Process\InputStream;
use Symfony\Component\Process\Process;

/**
 * Runs a worker in its own process. Stdin stays open for the whole run: it carries control messages, and its end tells
 * the worker that this process was killed. A batch gets its requests there, one after the other.
 *
 * @internal
 */
final class ProcessTransport implements Transport
{
    private const PIECE = 64 * 1024;
    private const SIGTERM = 15;
    private const SIGKILL = 9;
    private const DYING_S = 2.0;
    /** A second signal that comes before the first was taken is none. */
    private const BETWEEN_SIGNALS_S = 0.2;

    private readonly InputStream $stdin;
    private readonly Tail $stderr;
    /** @var list<string> */
    private array $pending = [];
    private int $unwritten = 0;
    private int $taken = 0;
    private bool $forgetting = false;
    private bool $isFed = false;
    private ?float $terminateAt = null;
    private ?float $insistAt = null;
    private ?float $killAt = null;
    private bool $killed = false;
    private ?ExitStatus $notStarted = null;

    /** @var \Iterator<mixed, string|null>|null */
    private ?\Iterator $lines = null;

    /**
     * @param float $drain seconds after SIGTERM in which it ends what it has begun; a second SIGTERM ends that, too
     * @param Credential|null $credential a worker with `--credential-fd=0` gets it as its first line
     */
    public function __construct(
        private readonly WorkerProcess $process,
        private readonly Environment $environment,
        private readonly string $binary,
        private readonly float $grace,
        private readonly float $drain = 0.0,
        private ?Credential $credential = null,
    ) {
        $this->stdin = new InputStream();
        $this->stderr = new Tail();
    }

    /**
     * Has it get these lines, too: the next one is made when the one before is on its way. After the last one, stdin
     * ends. What the iterator throws comes out of chunks().
     *
     * @param \Iterator<mixed, string|null> $lines without their newlines; null has chunks() yield, if only nothing
     */
    public function feed(\Iterator $lines): void
    {
        $this->lines = $lines;
    }

    public function chunks(?string $request, \Closure $tick): \Generator
    {
        if (!$this->start($request, $tick)) {
            return;
        }
        do {
            $this->pump();
            $running = !$this->process->isTerminated(); // reads what is left before it says so
            [$chunks, $this->pending] = [$this->pending, []];
            yield from $chunks;
            unset($chunks);
        } while ($running);
    }

    public function send(string $line): bool
    {
        if ($this->stdin->isClosed() || !$this->process->isRunning()) {
            return false;
        }
        $this->write($line);

        return true;
    }

    public function terminate(): void
    {
        if ($this->killAt === null && $this->process->isRunning()) {
            $this->killAt = self::now() + $this->drain + $this->grace;
            $this->signal(self::SIGTERM);
        }
    }

    public function terminateAfterGrace(): void
    {
        $this->terminateAt ??= self::now() + $this->grace;
    }

    public function finish(): void
    {
        $this->terminateAfterGrace();
        $this->stdin->close();
        $this->awaitEnd();
    }

    public function stop(): void
    {
        $this->terminate();
        if ($this->drain > 0 && $this->killAt !== null) {
            $this->insistAt = self::now() + self::BETWEEN_SIGNALS_S;
            $this->killAt = min($this->killAt, $this->insistAt + $this->grace);
        }
        $this->awaitEnd();
    }

    public function exitStatus(): ExitStatus
    {
        return $this->notStarted ?? ExitStatus::of($this->process, $this->killed);
    }

    public function stderr(): string
    {
        return (string) $this->stderr;
    }

    private function start(?string $request, \Closure $tick): bool
    {
        $this->process->setInput($this->stdin);
        $key = $this->credential?->key();
        $key === null || $this->write($key);
        $this->credential = null;
        $request === null || $this->write($request);
        // What configureProcess() set is wanted; what it did not name stays away.
        $env = array_diff_key($this->environment->forProcess(), $this->process->getEnv());
        try {
            $this->process->launch($this->take(...), $tick, $env);
        } catch (ExceptionInterface $error) {
            $this->notStarted = ExitStatus::notStarted($this->binary);
            $this->stderr->append($error->getMessage());
        }

        return $this->notStarted === null;
    }

    private function take(string $type, string $bytes): void
    {
        if ($type === Process::ERR) {
            $this->stderr->append($bytes);
        } elseif (!$this->forgetting) {
            $this->pending[] = $bytes;
        }
    }

    private function pump(): void
    {
        // Symfony takes one piece at a time, and then waits for output as long as it may, with more to write.
        do {
            $this->feedOn();
            $before = [$this->taken, $this->unwritten];
            $this->unwritten > 0 && $this->process->push();
            $isTaken = [$this->taken, $this->unwritten] !== $before;
            $takesMore = $isTaken && ($this->unwritten > 0 || $this->lines !== null);
        } while ($takesMore && !$this->isDueElsewhere());
        $takesMore || $this->pending !== [] ? $this->process->checkTimeout() : $this->process->pump();
        if ($this->insistAt !== null && self::now() >= $this->insistAt) {
            $this->insistAt = null;
            $this->signal(self::SIGTERM);
        }
        if ($this->terminateAt !== null && self::now() >= $this->terminateAt) {
            $this->terminate();
        }
        if ($this->killAt !== null && self::now() >= $this->killAt && !$this->killed) {
            $this->killed = true;
            $this->signal(self::SIGKILL);
        }
    }

    /** While lines are fed, somebody may wait for what it has written, or for a tick. */
    private function isDueElsewhere(): bool
    {
        return $this->lines !== null && ($this->pending !== [] || $this->process->isTickDue());
    }

    private function feedOn(): void
    {
        if ($this->lines === null || $this->unwritten > 0) {
            return;
        }
        $this->isFed ? $this->lines->next() : $this->lines->rewind();
        $this->isFed = true;
        if (!$this->lines->valid()) {
            $this->lines = null;
            $this->stdin->close();

            return;
        }
        $line = $this->lines->current();
        $line === null ? $this->pending[] = '' : $this->write($line);
    }

    private function awaitEnd(): void
    {
        $this->forgetting = true;
        $this->pending = [];
        $this->lines = null;
        while ($this->process->isRunning() && !$this->isHopeless()) {
            try {
                $this->pump();
            } catch (ProcessTimedOutException) {
                // It has been killed, which is what is wanted here.
            }
        }
    }

    /** Not even SIGKILL ends a process that waits for a dead disk. */
    private function isHopeless(): bool
    {
        return $this->killed && self::now() > $this->killAt + self::DYING_S;
    }

    private function signal(int $number): void
    {
        try {
            $this->process->signal($number);
        } catch (ExceptionInterface) {
            // It has ended in the meantime.
        }
    }

    private function write(#[\SensitiveParameter] string $line): void
    {
        $this->unwritten++;
        $this->stdin->write($this->inPieces("$line\n"));
    }

    /**
     * Cuts a string into pieces, because Symfony copies the rest of a string after each write of 64 KiB.
     *
     * @return \Generator<int, string>
     */
    private function inPieces(#[\SensitiveParameter] string $bytes): \Generator
    {
        for ($start = 0, $length = strlen($bytes); $start < $length; $start += self::PIECE) {
            $this->taken++;
            yield substr($bytes, $start, self::PIECE);
        }
        $this->unwritten--; // Symfony asks for the next piece just before it writes this one
    }

    private static function now(): float
    {
        return hrtime(true) / 1e9;
    }
}

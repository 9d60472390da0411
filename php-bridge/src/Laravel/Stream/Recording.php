<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Stream;

use AgentWorkers\Event\AppToolCall;
use AgentWorkers\Event\Event;
use AgentWorkers\Event\EventFactory;
use AgentWorkers\Event\Start;
use AgentWorkers\Event\ToolCall;
use AgentWorkers\Event\ToolResult;
use AgentWorkers\Laravel\Commands;
use AgentWorkers\Run;
use AgentWorkers\Run\Ending;
use Psr\Log\LoggerInterface;

/**
 * Keeps a run's events in the cache, so that a browser can come back. It writes several at a time, as a page, because a
 * write may take longer than a delta. If the cache fails, the answer goes on but cannot be resumed.
 *
 * @internal
 */
final class Recording
{
    private const PAGE_S = 0.2;
    private const PAGE_BYTES = 256 * 1024;
    private const BEAT_S = 1.0;

    /** @var list<string> */
    private array $page = [];
    private int $bytes = 0;
    /** @var array<int, int> bytes by number of the page */
    private array $sizes = [];
    private int $first = 0;
    private int $next = 0;
    private int $seq = 0;
    private int $attempt = 1;
    /** @var array<string, float> until when open calls of the application's tools may take, by their ids */
    private array $calls = [];
    private bool $isEnded = false;
    private float $written = 0.0;
    private bool $isBroken = false;
    private bool $isAborted = false;

    public function __construct(
        private readonly Store $store,
        private readonly string $owner,
        private readonly string $run,
        private readonly LoggerInterface $logger,
        private readonly float $secondsHeld = 0.0,
    ) {
        $this->unlessBroken($this->beat(...));
        $this->unlessBroken(fn () => $store->forgetAbort($owner, $run)); // of an earlier attempt of the same run
    }

    /**
     * Records a run that nobody streams, from its first tick on: its owner can follow and stop it in other requests.
     *
     * @param HiddenFolder|null $hidden what the owner's browser is not told
     */
    public static function follow(
        Run $run,
        Store $store,
        string $owner,
        LoggerInterface $logger,
        ?HiddenFolder $hidden = null,
    ): void {
        $recording = null;
        $begun = static function () use ($run, $store, $owner, $logger, &$recording): self {
            if ($recording === null) {
                $recording = new self($store, $owner, $run->id, $logger, Commands::secondsHeld($run));
                $run->onTick($recording->tick(...))->onTick($recording->obey($run))->onEnd($recording->close(...));
            }

            return $recording;
        };
        $shown = static fn (Event $event): Event => $hidden === null ? $event : $hidden->of($event);
        $run->onTick($begun)->onEvent(static fn (Event $event) => $begun()->add($shown($event)));
    }

    /** Notes an event before it is sent. tick() writes it, so that no delta waits for the cache. */
    public function add(Event $event): void
    {
        if ($event instanceof Start) {
            $this->begin($event->attempt());
        }
        $this->page[] = $json = $event->toJson();
        $this->bytes += strlen($json);
        $this->seq = $event->seq;
        $this->isEnded = $event->isTerminal();
        // While the application runs a tool, nothing is written; a reader must not take the run for lost meanwhile.
        if ($event instanceof AppToolCall) {
            $this->calls[$event->toolUseId ?? ''] = (float) strtotime($event->expiresAt);
        } elseif ($event instanceof ToolResult) {
            unset($this->calls[$event->toolUseId], $this->calls['']);
        } elseif ($event instanceof ToolCall && $this->secondsHeld > 0.0) {
            $this->calls[$event->toolUseId] = self::now() + $this->secondsHeld;
        }
        $isHeld = $event instanceof AppToolCall || $event instanceof ToolCall && $this->secondsHeld > 0.0;
        if ($this->isEnded || $isHeld || $this->bytes > self::PAGE_BYTES) {
            $this->unlessBroken($this->flush(...));
        }
    }

    /** Forgets what an attempt before has said: whoever comes back reads a later one from its start. */
    private function begin(int $attempt): void
    {
        if ($attempt > $this->attempt) {
            [$this->page, $this->bytes, $this->calls] = [[], 0, []];
            $forgotten = [$this->first, $this->next];
            [$this->attempt, $this->first, $this->sizes] = [$attempt, $this->next, []];
            $this->unlessBroken(function () use ($forgotten): void {
                $this->beat(); // first: a reader that comes now must not look for those pages
                for ($page = $forgotten[0]; $page < $forgotten[1]; $page++) {
                    $this->store->forgetPage($this->owner, $this->run, $page);
                }
            });
        }
    }

    /** To be called often, and between two events. */
    public function tick(): void
    {
        $idle = self::now() - $this->written;
        if ($this->page !== [] && $idle >= self::PAGE_S) {
            $this->unlessBroken($this->flush(...));
        } elseif ($idle >= self::BEAT_S) {
            $this->unlessBroken($this->beat(...));
        }
    }

    /**
     * @return \Closure(): void to be called often: does what the run's owner asks for in other requests, stops the run
     *                          or says a word to its agent
     */
    public function obey(Run $run): \Closure
    {
        $deliver = (new Steering($this->store))->deliver($run, $this->owner);

        return function () use ($run, $deliver): void {
            if ($this->isAborted || $this->isBroken) {
                return;
            }
            $this->unlessBroken(fn () => $this->isAborted = $this->store->isAbortAsked($this->owner, $this->run));
            $this->isAborted ? $run->abort() : $this->unlessBroken($deliver);
        };
    }

    /** Ends the recording, also of a run that wrote no terminal event. */
    public function close(): void
    {
        if (!$this->isEnded) {
            $this->add(EventFactory::compose($this->run, $this->seq + 1, 'aborted', Ending::stopped()));
        }
    }

    /** @param \Closure(): mixed $write */
    private function unlessBroken(\Closure $write): void
    {
        if ($this->isBroken) {
            [$this->page, $this->bytes] = [[], 0];

            return;
        }
        try {
            $write();
        } catch (\Throwable $error) {
            $this->isBroken = true;
            $message = 'The cache failed: no other request can follow or stop this agent run: ';
            $this->logger->warning($message . $error->getMessage(), ['run' => $this->run]);
        }
    }

    private function flush(): void
    {
        if ($this->next === 0) {
            $this->store->putOwner($this->run, $this->owner);
        }
        $this->store->putPage($this->owner, $this->run, $this->next, $this->page);
        $this->sizes[$this->next++] = $this->bytes;
        [$this->page, $this->bytes] = [[], 0];
        while (count($this->sizes) > 1 && array_sum($this->sizes) > $this->store->maxBytes) {
            $this->store->forgetPage($this->owner, $this->run, $this->first);
            unset($this->sizes[$this->first++]);
        }
        $this->beat();
    }

    private function beat(): void
    {
        $this->written = self::now();
        $this->store->putHead($this->owner, $this->run, [
            'first' => $this->first,
            'next' => $this->next,
            'ended' => $this->isEnded,
            'attempt' => $this->attempt,
            'beat' => max($this->written, 0.0, ...array_values($this->isEnded ? [] : $this->calls)),
        ]);
    }

    /** By the clock on the wall: another process compares. */
    private static function now(): float
    {
        return microtime(true);
    }
}

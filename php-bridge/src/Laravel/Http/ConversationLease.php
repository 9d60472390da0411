<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

use AgentWorkers\Event\AppToolCall;
use AgentWorkers\Event\ErrorEvent;
use AgentWorkers\Event\Event;
use AgentWorkers\Event\Notice;
use AgentWorkers\Event\Session;
use AgentWorkers\Event\Start;
use AgentWorkers\Event\ToolCall;
use AgentWorkers\Laravel\Commands;
use AgentWorkers\Laravel\Stream\Store;
use AgentWorkers\Run;
use Psr\Log\LoggerInterface;

/**
 * A run's hold on its conversation: a lease in the cache, renewed while the run goes on. If the PHP process is killed,
 * the lease runs out.
 *
 * @internal
 */
final class ConversationLease
{
    private const RENEWAL_S = 2.0;

    private float $renewed;
    private bool $isEnding = false;
    private bool $isOver = false;
    /** Whether the run is the fleet's, which holds the conversation until its end, whoever follows. */
    private bool $isLent = false;
    private float $secondsHeld = 0.0;
    private bool $wasBegun;
    private ?string $engine;
    private ?string $session;

    /**
     * @param string $token the run's id, which tells this lease from others
     * @param array{begun: bool, engine?: string, session?: string} $known whether the conversation's session had begun
     *     before, and what it is called where it has another id
     * @param bool $isLearnt whether the worker says what the session is called
     */
    public function __construct(
        private readonly Store $store,
        private readonly string $conversation,
        private readonly string $owner,
        private readonly string $token,
        array $known,
        private readonly LoggerInterface $logger,
        private readonly bool $isLearnt = false,
    ) {
        $this->renewed = self::now();
        $this->wasBegun = $known['begun'];
        $this->engine = $known['engine'] ?? null;
        $this->session = $known['session'] ?? null;
    }

    public function __destruct()
    {
        $this->leave(); // the run never began
    }

    public function follow(Run $run): void
    {
        $this->secondsHeld = Commands::secondsHeld($run);
        if ($run->isLasting()) {
            $this->isLent = true;
            $this->unlessBroken(fn () => $this->store->lendLease($this->conversation, $this->token));
        }
        $run->onTick(fn () => $this->renew($run->isStopping()))
            ->onEvent($this->note(...))
            ->onEnd($this->leave(...));
    }

    /** Learns from the events: a run may fail before or after it began its session. */
    private function note(Event $event): void
    {
        if ($event instanceof Start) {
            $this->engine = $event->engine ?? $this->engine;
        }
        if ($event instanceof Session && $this->isLearnt) {
            $this->session = $event->sessionId;
        }
        $begun = match (true) {
            $event instanceof Session => true,
            $event instanceof Notice && $event->code === 'session_not_saved' => $this->wasBegun,
            !$event instanceof ErrorEvent => null,
            $event->code === 'session_exists' => true,
            $event->code === 'session_not_found' => false,
            default => null,
        };
        $this->unlessBroken(function () use ($event, $begun): void {
            if ($begun !== null) {
                $known = $begun ? array_filter(['engine' => $this->engine, 'session' => $this->session]) : [];
                $state = ['owner' => $this->owner, 'begun' => $begun] + $known;
                $this->store->putConversation($this->conversation, $state);
                if ($begun && $this->isLearnt && $this->session !== null) {
                    // A page goes on with the session that its events name: it is the same conversation.
                    $this->store->putConversation($this->session, $state);
                }
            }
            if ($event instanceof AppToolCall) {
                // Nothing ticks while the application runs its tool.
                $this->hold((int) ceil(max(0, strtotime($event->expiresAt) - microtime(true))));
            } elseif ($event instanceof ToolCall && $this->secondsHeld > 0.0) {
                $this->hold((int) ceil($this->secondsHeld));
            } elseif ($event->isTerminal()) {
                $this->isEnding = true;
                $this->hold();
            }
        });
    }

    private function renew(bool $isEnding): void
    {
        $hasChanged = $isEnding && !$this->isEnding;
        $this->isEnding = $this->isEnding || $isEnding;
        if ($hasChanged || self::now() - $this->renewed >= self::RENEWAL_S) {
            $this->unlessBroken($this->hold(...));
        }
    }

    private function hold(int $longerS = 0): void
    {
        $this->renewed = self::now() + $longerS;
        if (!$this->isLent && $this->isMine()) {
            $this->store->holdLease($this->conversation, $this->token, $this->isEnding, $longerS);
        }
    }

    private function leave(): void
    {
        if (!$this->isOver && (!$this->isLent || $this->isEnding)) {
            $this->isOver = true;
            $this->unlessBroken(fn () => $this->isMine() && $this->store->endLease($this->conversation));
        }
    }

    /** A lease that has run out may have become another run's. */
    private function isMine(): bool
    {
        return ($this->store->lease($this->conversation)['token'] ?? null) === $this->token;
    }

    /** @param \Closure(): mixed $write */
    private function unlessBroken(\Closure $write): void
    {
        try {
            $write();
        } catch (\Throwable $error) {
            $context = ['conversation' => $this->conversation, 'exception' => $error];
            $message = 'The cache failed: what was learnt of a conversation is lost: ' . $error->getMessage();
            $this->logger->warning($message, $context);
        }
    }

    private static function now(): float
    {
        return hrtime(true) / 1e9;
    }
}

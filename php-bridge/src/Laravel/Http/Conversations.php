<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

use AgentWorkers\Command\Command;
use AgentWorkers\Event\EventFactory;
use AgentWorkers\Exception\LogicException;
use AgentWorkers\Exception\RunFailedException;
use AgentWorkers\Laravel\Fleet\FleetAccess;
use AgentWorkers\Laravel\Records\ConversationRecords;
use AgentWorkers\Laravel\Records\Party;
use AgentWorkers\Laravel\Stream\Store;
use AgentWorkers\Request;
use AgentWorkers\Run;
use Illuminate\Support\Str;
use Psr\Log\LoggerInterface;

/**
 * Keeps who owns each conversation, whether its session has begun, and by which engine and id, and whether a run is at
 * work in it.
 *
 * @internal
 */
final class Conversations
{
    public const NO_OWNER = 'The conversation has no owner: the request has neither a signed-in user nor a session. '
        . 'Name one with owner().';
    /** How long a run waits for the last one's worker, which has answered or was stopped, to end. */
    private const PATIENCE_S = 10.0;
    private const POLL_US = 20_000;
    private const RETRY_AFTER_MS = 2_000;

    private readonly ToolNotes $notes;

    public function __construct(
        private readonly Store $store,
        private readonly LoggerInterface $logger,
        private readonly FleetAccess $fleet,
        private readonly ConversationRecords $records,
    ) {
        $this->notes = new ToolNotes($store, $logger);
    }

    /**
     * Starts a run in this conversation. Until its end no other run can begin there.
     *
     * @param \Closure(Request): Run $start gets the request with its session
     * @param Command|null $command what a person runs here, instead of the agent
     * @param bool $namesSession whether a session that begins gets the conversation's id: an agent that was started
     *     ahead has one already
     * @param Party|null $party whose the records say it is
     *
     * @throws RunFailedException it is somebody else's, or busy
     * @throws LogicException it would have no owner
     */
    public function start(
        string $id,
        ?string $owner,
        Request $request,
        \Closure $start,
        ?Command $command = null,
        bool $namesSession = true,
        ?Party $party = null,
    ): Run {
        if ($request->get('session') !== null) {
            throw new LogicException(
                'A run continues either a conversation or a session. Call conversation() or resume(), not both.',
            );
        }
        $this->settle($id, $owner);
        $known = $this->claim($id, $owner ?? throw new LogicException(self::NO_OWNER), $party);
        $run = (string) ($request->get('run') ?? Str::uuid());
        $this->take($id, $owner, $run);
        $isLearnt = !$known['begun'] && !$namesSession;
        $lease = new ConversationLease($this->store, $id, $owner, $run, $known, $this->logger, $isLearnt);
        $engine = $known['engine'] ?? null;
        $begun = $known['session'] ?? $id;
        $session = match (true) {
            !$known['begun'] => $namesSession ? $request->session(id: $id) : $request,
            $engine === null => $request->session(resume: $begun),
            default => $request->resumedBy($engine, $begun),
        };
        $told = $command === null ? $this->notes->tell($session, $id) : $session;
        $run = $start($told->sessionOwner($owner)->run($run));
        $lease->follow($run);
        $command === null ? $this->notes->forgetWhenTold($run, $id) : $this->notes->keep($run, $id, $command);

        return $run;
    }

    /**
     * Makes the conversation this owner's unless it is somebody else's. Tells whether its session has begun.
     *
     * @return array{owner: string, begun: bool, engine?: string, session?: string}
     */
    private function claim(string $id, string $owner, ?Party $party): array
    {
        $mine = ['owner' => $owner, 'begun' => false];
        $known = $this->store->claimConversation($id, $mine)
            ? $this->recorded($id, $owner, $party) + $mine
            : $this->store->conversation($id);
        if (($known['owner'] ?? null) !== $owner) {
            throw self::refusal('session_not_found', 'There is no such conversation.');
        }
        $this->store->putConversation($id, $known);

        return $known;
    }

    /**
     * Returns what the records know of a conversation that is new to the cache, which forgets.
     *
     * @return array<string, mixed>
     */
    private function recorded(string $id, string $owner, ?Party $party): array
    {
        $row = $party === null ? null : $this->records->find($id);
        if ($row === null) {
            return [];
        }
        if ($row->owner !== null && $row->owner !== $party->owner) {
            $this->store->forgetConversation($id);
            throw self::refusal('session_not_found', 'There is no such conversation.');
        }
        $hasBegun = $row->tools !== null; // its agent was up
        $known = array_filter(['engine' => $row->engine, 'session' => $row->session_id ?? $row->id]);

        return $hasBegun ? ['owner' => $owner, 'begun' => true] + $known : [];
    }

    /** Learns how the last run ended, where the fleet had it: nobody may have followed it to its end. */
    private function settle(string $id, ?string $owner): void
    {
        $lease = $this->store->lease($id);
        $since = $lease['fleet'] ?? null;
        if ($since === null || !$this->fleet->isThere()) {
            return;
        }
        $job = $this->fleet->fleet()->status($lease['token']);
        $isOver = $job === null ? time() - $since > self::PATIENCE_S : $job->isOver(); // it may be on its way there
        if (!$isOver) {
            return;
        }
        $known = $this->store->conversation($id);
        if ($known !== null && $known['owner'] === $owner && $job?->sessionId !== null) {
            $this->store->putConversation($id, ['begun' => true] + $known);
            $this->store->putNotes($id, []); // its agent was told
        }
        $this->store->endLease($id);
    }

    private function take(string $id, string $owner, string $run): void
    {
        for ($end = microtime(true) + self::PATIENCE_S; !$this->store->takeLease($id, $run); usleep(self::POLL_US)) {
            $other = $this->store->lease($id);
            $isEnding = $other === null || $other['ending'] || $this->store->isAbortAsked($owner, $other['token']);
            if (!$isEnding || microtime(true) > $end) {
                throw self::refusal(
                    'session_busy',
                    'Another answer in this conversation is still being written. Wait for it, or stop it.',
                    ['retryable' => true, 'retry_after_ms' => self::RETRY_AFTER_MS],
                );
            }
        }
    }

    /** @param array<string, mixed> $more */
    private static function refusal(string $code, string $message, array $more = []): RunFailedException
    {
        $body = ['code' => $code, 'message' => $message] + $more + ['retryable' => false];
        $event = EventFactory::compose('', 1, 'error', $body);

        return new RunFailedException($event);
    }
}

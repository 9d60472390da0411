<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

use AgentWorkers\Event\ErrorEvent;
use AgentWorkers\Event\Event;
use AgentWorkers\Event\Session;
use AgentWorkers\Laravel\Stream\Store;
use AgentWorkers\Request;
use Illuminate\Http\Exceptions\HttpResponseException;
use Illuminate\Http\JsonResponse;

/**
 * Remembers whose conversation is whose, and whether the agent knows it already.
 *
 * @internal
 */
final class Conversations
{
    public function __construct(private readonly Store $store)
    {
    }

    /**
     * The request, in this conversation.
     *
     * @throws HttpResponseException it is somebody else's
     */
    public function enter(string $id, ?string $owner, Request $request): Request
    {
        $mine = ['owner' => $owner, 'begun' => false];
        $isNew = $owner !== null && $this->store->claimConversation($id, $mine);
        $known = $isNew ? $mine : $this->store->conversation($id);
        if ($owner === null || ($known['owner'] ?? null) !== $owner) {
            throw new HttpResponseException(new JsonResponse(['message' => 'There is no such conversation.'], 404));
        }
        $this->store->putConversation($id, $known);

        return $known['begun'] ? $request->session(resume: $id) : $request->session(id: $id);
    }

    /** Learns from the events of a run in this conversation. A run may fail before or after it began its session. */
    public function learn(string $id, string $owner, Event $event): void
    {
        $begun = match (true) {
            $event instanceof Session => true,
            !$event instanceof ErrorEvent => null,
            $event->code === 'session_exists' => true,
            $event->code === 'session_not_found' => false,
            default => null,
        };
        if ($begun !== null) {
            $this->store->putConversation($id, ['owner' => $owner, 'begun' => $begun]);
        }
    }
}

<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Records;

use Psr\Log\LoggerInterface;

/**
 * What the records know of a conversation that the cache has forgotten.
 *
 * @internal
 */
final class ConversationRecords
{
    public function __construct(
        private readonly Settings $settings,
        private readonly Spool $spool,
        private readonly LoggerInterface $logger,
    ) {
    }

    /** Returns the id under which the conversation is recorded. */
    public function idOf(?string $id): ?string
    {
        return $id === null ? null : $this->find($id)->id ?? $id;
    }

    /**
     * Returns the conversation; null where it is not recorded, or the database is away.
     *
     * @param string $id its own, or that of its session, by which a page goes on
     */
    public function find(string $id): ?AgentConversation
    {
        if (!$this->settings->isOn() || $this->spool->isDatabaseAway()) {
            return null;
        }
        try {
            return AgentConversation::query()->find($id)
                ?? AgentConversation::query()->where('session_id', $id)->orderBy('created_at')->first();
        } catch (\Throwable $error) {
            $message = 'The records\' database failed: whose a conversation is, is taken from the cache alone. ';
            $this->logger->warning($message . $error::class, ['conversation' => $id, 'code' => $error->getCode()]);

            return null;
        }
    }
}

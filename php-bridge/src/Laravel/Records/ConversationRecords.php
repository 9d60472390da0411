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
    public function __construct(private readonly Settings $settings, private readonly LoggerInterface $logger)
    {
    }

    /** Returns the conversation; null where it is not recorded, or the database is away. */
    public function find(string $id): ?AgentConversation
    {
        if (!$this->settings->isOn()) {
            return null;
        }
        try {
            return AgentConversation::query()->find($id);
        } catch (\Throwable $error) {
            $message = 'The records\' database failed: whose a conversation is, is taken from the cache alone. ';
            $this->logger->warning($message . $error::class, ['conversation' => $id, 'code' => $error->getCode()]);

            return null;
        }
    }
}

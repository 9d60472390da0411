<?php

declare(strict_types=1);

namespace AgentWorkers\Run;

use AgentWorkers\Event\Ack;
use AgentWorkers\Process\Transport;
use Psr\Log\LoggerInterface;

/**
 * Sends control messages to the worker and reads their acknowledgements.
 *
 * @internal
 */
final class Controls
{
    private int $sent = 0;
    /** @var array<string, string> ids of tool calls, by the ids of the messages with their results */
    private array $results = [];

    public function __construct(
        private readonly string $run,
        private readonly Transport $transport,
        private readonly LoggerInterface $logger,
    ) {
    }

    public function abort(): void
    {
        $this->send('abort', []);
    }

    /**
     * @param array<string, mixed>|null $updatedInput
     *
     * @return string|null id of the `ack` that will come; null where no worker reads the message
     */
    public function permission(string $id, string $behavior, ?string $message, ?array $updatedInput): ?string
    {
        return $this->send('permission', [
            'permission_id' => $id,
            'behavior' => $behavior,
            'message' => $message,
            'updated_input' => $updatedInput === null ? null : (object) $updatedInput,
        ]);
    }

    /**
     * @param string|list<array<string, mixed>> $content
     *
     * @return string|null id of the `ack` that will come; null where no worker reads the message
     */
    public function toolResult(string $callId, string|array $content, bool $isError): ?string
    {
        $id = $this->send('app_tool_result', [
            'call_id' => $callId,
            'content' => $content,
            'is_error' => $isError ?: null,
        ]);
        if ($id !== null) {
            $this->results[$id] = $callId;
        }

        return $id;
    }

    /** A tool result that the worker refused has changed nothing: without another one, the model would wait. */
    public function acknowledged(Ack $ack): void
    {
        $callId = $this->results[$ack->id] ?? null;
        unset($this->results[$ack->id]);
        if ($ack->ok || $ack->code === 'not_pending') {
            return;
        }
        $this->logger->warning('The worker refused a control message.', ['run' => $this->run, 'code' => $ack->code]);
        if ($callId !== null) {
            $this->send('app_tool_result', [
                'call_id' => $callId,
                'content' => AppToolResult::REFUSED,
                'is_error' => true,
            ]);
        }
    }

    /** @param array<string, mixed> $fields those that are null are left out */
    private function send(string $type, array $fields): ?string
    {
        $id = 'c' . ++$this->sent;
        $message = ['type' => $type, 'id' => $id] + array_filter($fields, static fn (mixed $field) => $field !== null);
        $json = json_encode($message, JSON_THROW_ON_ERROR | JSON_INVALID_UTF8_SUBSTITUTE);

        return $this->transport->send($json) ? $id : null;
    }
}

<?php

declare(strict_types=1);

namespace AgentWorkers\Run;

use AgentWorkers\Decision;
use AgentWorkers\Event\Ack;
use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Process\Lasting;
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
    private readonly string $prefix;
    /** @var array<string, string> ids of tool calls, by the ids of the messages with their results */
    private array $results = [];
    /** @var array<string, true> ids of messages with what tools print */
    private array $outputs = [];

    public function __construct(
        private readonly string $run,
        private readonly Transport $transport,
        private readonly LoggerInterface $logger,
    ) {
        // Others may send messages to the same worker: theirs must not bear the same ids.
        $this->prefix = $transport instanceof Lasting ? bin2hex(random_bytes(6)) . '-' : 'c';
    }

    /** @throws InvalidArgumentException the worker would refuse what this actor sends */
    public static function named(?string $actor): ?string
    {
        if ($actor !== null && preg_match('/^.{1,128}$/Dsu', $actor) !== 1) {
            throw new InvalidArgumentException(
                'The actor must be a text of 1 to 128 characters, such as the id of a user.',
            );
        }

        return $actor;
    }

    /** @throws InvalidArgumentException the worker would refuse what bears it */
    public static function signature(?string $signature): ?string
    {
        if ($signature !== null && preg_match('/^.{1,512}$/Dsu', $signature) !== 1) {
            throw new InvalidArgumentException('A signature must be a text of 1 to 512 characters.');
        }

        return $signature;
    }

    public function abort(): void
    {
        $this->send('abort', []);
    }

    /** @return string|null id of the `ack` that will come; null where no worker reads the message */
    public function permission(string $id, Decision $decision): ?string
    {
        return $this->send('permission', ['permission_id' => $id] + $decision->fields());
    }

    /**
     * @param array<array-key, string|list<string>> $answers
     *
     * @return string|null id of the `ack` that will come; null where no worker reads the message
     */
    public function answer(string $id, array $answers, ?string $actor, ?string $signature = null): ?string
    {
        return $this->send('answer', [
            'question_id' => $id,
            'answers' => (object) $answers,
            'actor' => self::named($actor),
            'signature' => self::signature($signature),
        ]);
    }

    /** @return string|null id of the `ack` that will come; null where no worker reads the message */
    public function steer(string $text, ?string $actor, ?string $id): ?string
    {
        return $this->send('steer', ['text' => $text, 'actor' => self::named($actor)], $id);
    }

    /** @return string|null id of the `ack` that will come; null where no worker reads the message */
    public function toolOutput(string $callId, string $text): ?string
    {
        $id = $this->send('app_tool_output', ['call_id' => $callId, 'text' => $text]);
        if ($id !== null) {
            $this->outputs[$id] = true;
        }

        return $id;
    }

    /**
     * @param string|list<array<string, mixed>> $content
     *
     * @return string|null id of the `ack` that will come; null where no worker reads the message
     */
    public function toolResult(
        string $callId,
        string|array $content,
        bool $isError,
        ?bool $retryable,
        bool $replayed,
        ?string $actor,
    ): ?string {
        $id = $this->send('app_tool_result', [
            'call_id' => $callId,
            'content' => $content,
            'is_error' => $isError ?: null,
            'retryable' => $retryable,
            'replayed' => $replayed ?: null,
            'actor' => self::named($actor),
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
        $isOutput = isset($this->outputs[$ack->id]); // of which the result still tells the whole
        unset($this->results[$ack->id], $this->outputs[$ack->id]);
        if ($ack->ok || $isOutput || in_array($ack->code, ['not_pending', 'too_late'], true)) {
            return;
        }
        $message = 'The worker refused a control message. Its stderr says why if AGENT_WORKERS_LOG is warning.';
        $this->logger->warning($message, ['run' => $this->run, 'code' => $ack->code]);
        if ($callId !== null) {
            $this->send('app_tool_result', [
                'call_id' => $callId,
                'content' => AppToolResult::REFUSED,
                'is_error' => true,
            ]);
        }
    }

    /** @param array<string, mixed> $fields those that are null are left out */
    private function send(string $type, array $fields, ?string $id = null): ?string
    {
        $id ??= $this->prefix . ++$this->sent;
        $message = ['type' => $type, 'id' => $id] + array_filter($fields, static fn (mixed $field) => $field !== null);
        $json = json_encode($message, JSON_THROW_ON_ERROR | JSON_INVALID_UTF8_SUBSTITUTE);

        return $this->transport->send($json) ? $id : null;
    }
}

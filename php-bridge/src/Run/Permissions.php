<?php

declare(strict_types=1);

namespace AgentWorkers\Run;

use AgentWorkers\Decision;
use AgentWorkers\Event\Event;
use AgentWorkers\Event\PermissionRequest;
use AgentWorkers\Event\PermissionResolved;
use Psr\Log\LoggerInterface;

/**
 * A run's open questions whether a tool call may run, and the closures that answer them.
 *
 * @internal
 */
final class Permissions
{
    /** @var list<\Closure(PermissionRequest): (Decision|bool|null)> */
    private array $handlers = [];
    /** @var array<string, PermissionRequest> */
    private array $open = [];

    /** @param \Closure(string, Decision): mixed $decide */
    public function __construct(private readonly \Closure $decide, private readonly LoggerInterface $logger)
    {
    }

    /** @param \Closure(PermissionRequest): (Decision|bool|null) $handler */
    public function askedOf(\Closure $handler): void
    {
        $this->handlers[] = $handler;
    }

    public function note(Event $event): void
    {
        if ($event instanceof PermissionRequest && $this->handlers !== []) {
            $this->open[$event->permissionId] = $event;
            $this->ask($event);
        } elseif ($event instanceof PermissionResolved) {
            $this->settled($event->permissionId);
        }
    }

    public function settled(string $permissionId): void
    {
        unset($this->open[$permissionId]);
    }

    /** Asks again about questions that have no answer yet. */
    public function tick(): void
    {
        foreach ($this->open as $id => $question) {
            if (isset($this->open[$id])) { // a handler may have settled another one
                Expiry::isOver($question->expiresAt) ? $this->settled($question->permissionId) : $this->ask($question);
            }
        }
    }

    private function ask(PermissionRequest $question): void
    {
        try {
            $decision = $this->decision($question);
            $decision === null || $this->answer($question, $decision);
        } catch (\Throwable $error) {
            $context = ['exception' => $error, 'run' => $question->run, 'permission' => $question->permissionId];
            $message = 'A tool call was denied because the permission closure failed: ' . $error->getMessage();
            $this->logger->error($message, $context);
            $this->answer($question, Decision::deny('Nobody could decide on this call.'));
        }
    }

    private function decision(PermissionRequest $question): ?Decision
    {
        foreach ($this->handlers as $handler) {
            $decision = self::read($handler($question));
            if ($decision !== null) {
                return $decision;
            }
        }

        return null;
    }

    private function answer(PermissionRequest $question, Decision $decision): void
    {
        if (isset($this->open[$question->permissionId])) { // the handler may have answered by itself
            ($this->decide)($question->permissionId, $decision);
        }
    }

    /** Nothing but true and Decision::allow() may ever mean that a call is allowed. */
    private static function read(mixed $answer): ?Decision
    {
        return match (true) {
            $answer === null, $answer instanceof Decision => $answer,
            $answer === true => Decision::allow(),
            $answer === false => Decision::deny(),
            default => throw new \UnexpectedValueException(
                'A closure of onPermission() must return a Decision, true, false or null, not '
                    . get_debug_type($answer) . '.',
            ),
        };
    }
}

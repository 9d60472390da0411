<?php

declare(strict_types=1);

namespace AgentWorkers\Run;

use AgentWorkers\Decision;
use AgentWorkers\Event\Event;
use AgentWorkers\Event\PermissionRequest;
use AgentWorkers\Event\PermissionResolved;
use Psr\Log\LoggerInterface;

/**
 * A run's open questions whether a tool call may run. A closure that fails denies.
 *
 * @internal
 *
 * @extends OpenQuestions<PermissionRequest, Decision>
 */
final class Permissions extends OpenQuestions
{
    /** @param \Closure(string, Decision): mixed $decide */
    public function __construct(private readonly \Closure $decide, private readonly LoggerInterface $logger)
    {
    }

    protected function asked(Event $event): ?string
    {
        return $event instanceof PermissionRequest ? $event->permissionId : null;
    }

    protected function resolved(Event $event): ?string
    {
        return $event instanceof PermissionResolved ? $event->permissionId : null;
    }

    /** Nothing but true and Decision::allow() may ever mean that a call is allowed. */
    protected function read(mixed $answer): ?Decision
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

    protected function send(Event $question, mixed $answer): void
    {
        ($this->decide)($question->permissionId, $answer);
    }

    protected function failed(Event $question, \Throwable $error): void
    {
        $context = ['exception' => $error, 'run' => $question->run, 'permission' => $question->permissionId];
        $message = 'A tool call was denied because the permission closure failed: ' . $error->getMessage();
        $this->logger->error($message, $context);
        $this->send($question, Decision::deny('Nobody could decide on this call.'));
    }
}

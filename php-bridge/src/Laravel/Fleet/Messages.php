<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Fleet;

use AgentWorkers\Decision;
use AgentWorkers\Event\Event;
use AgentWorkers\Event\PermissionRequest;
use AgentWorkers\Event\PermissionResolved;
use AgentWorkers\Event\Question;
use AgentWorkers\Event\QuestionResolved;
use AgentWorkers\Exception\FleetException;
use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Exception\RunOverException;
use AgentWorkers\Fleet\Fleet;
use AgentWorkers\Fleet\JobStatus;
use AgentWorkers\Fleet\Told;
use AgentWorkers\Laravel\Http\Answers;
use AgentWorkers\Laravel\Http\Approval;
use AgentWorkers\Laravel\Http\Approvals;
use AgentWorkers\Laravel\Signing;
use AgentWorkers\Laravel\Stream\Steering;
use AgentWorkers\Shown;
use Illuminate\Support\Str;

/**
 * Tells runs of the fleet what people answer and say. It goes straight into the run, whether anybody streams it or not.
 *
 * @internal
 */
final class Messages
{
    public function __construct(private readonly FleetAccess $access, private readonly Signing $signing)
    {
    }

    public function decide(JobStatus $job, string $permission, Decision $decision, ?string $actor): Approval
    {
        $isAbout = static fn (Event $event): bool => match (true) {
            $event instanceof PermissionRequest, $event instanceof PermissionResolved
                => $event->permissionId === $permission,
            default => false,
        };
        $asked = $this->asked($job, $isAbout);
        if (!$asked instanceof PermissionRequest) {
            return $asked;
        }
        $told = $asked->truncatedBytes === null
            ? $this->signing->decision(Shown::of($asked), $decision->by($actor))
            : Decision::deny(Approvals::TOO_LONG)->by($actor);
        $fields = ['type' => 'permission', 'permission_id' => $permission] + $told->fields();

        return $this->answerOnce($job, $permission, $asked->expiresAt, $fields);
    }

    /**
     * @param array<array-key, mixed> $answers
     *
     * @throws InvalidArgumentException they do not answer what is asked
     */
    public function answer(JobStatus $job, string $question, array $answers, ?string $actor): Approval
    {
        $isAbout = static fn (Event $event): bool => match (true) {
            $event instanceof Question, $event instanceof QuestionResolved => $event->questionId === $question,
            default => false,
        };
        $asked = $this->asked($job, $isAbout);
        if (!$asked instanceof Question) {
            return $asked;
        }
        Answers::check($asked->questions, $answers);
        $fields = ['type' => 'answer', 'question_id' => $question, 'answers' => (object) $answers];
        $signature = $this->signing->answers(Shown::of($asked), $answers, $actor);

        return $this->answerOnce(
            $job,
            "question:$question",
            $asked->expiresAt,
            $fields + array_filter(['actor' => $actor, 'signature' => $signature], is_string(...)),
        );
    }

    /**
     * @return string id of the message, as `ack` and `steered` bear it
     *
     * @throws RunOverException it has ended, or gone
     */
    public function steer(JobStatus $job, string $text, ?string $actor): string
    {
        $id = 'steer-' . Str::uuid();
        $fields = ['type' => 'steer', 'id' => $id, 'text' => Steering::checked($text)];
        $told = $this->fleet()->control($job->run, $fields + array_filter(['actor' => $actor], is_string(...)));

        return $told->isTaken() ? $id : throw new RunOverException($told === Told::Over);
    }

    /**
     * Returns the question where it is open, else what is to be said of it.
     *
     * @param \Closure(Event): bool $isAbout
     */
    private function asked(JobStatus $job, \Closure $isAbout): PermissionRequest|Question|Approval
    {
        $told = array_filter($this->fleet()->all($job->run, "$job->attempt-0"), $isAbout);
        $asked = reset($told);
        if (!$asked instanceof PermissionRequest && !$asked instanceof Question) {
            return Approval::Unknown;
        }
        $isOpen = count($told) === 1 && $job->isRunning() && Approvals::expiry($asked->expiresAt) > time();

        return $isOpen ? $asked : Approval::Over;
    }

    /**
     * Of two answers the first one counts: who comes second is told so.
     *
     * @param array<string, mixed> $message
     */
    private function answerOnce(JobStatus $job, string $id, string $expiresAt, array $message): Approval
    {
        $redis = $this->fleet()->connection();
        $key = $redis->ofRun($job->run, "answer:$job->attempt:$id");
        $keptMs = max(1, Approvals::expiry($expiresAt) - time() + 60) * 1000;
        $token = bin2hex(random_bytes(8));
        $isFirst = $redis->ask(static fn (\Redis $redis): bool
            => $redis->set($key, $token, ['NX', 'PX' => $keptMs]) === true || $redis->get($key) === $token);
        if (!$isFirst) {
            return Approval::Over;
        }

        try {
            return $this->fleet()->control($job->run, $message)->isTaken() ? Approval::Taken : Approval::Over;
        } catch (FleetException $error) {
            $this->forget($key);
            throw $error;
        }
    }

    /** Lets an answer that did not reach the run be given again. */
    private function forget(string $key): void
    {
        try {
            $connection = $this->fleet()->connection();
            $connection->ask(static fn (\Redis $redis): mixed => $redis->del($key), static fn (): bool => false);
        } catch (FleetException) {
            // Redis has gone.
        }
    }

    private function fleet(): Fleet
    {
        return $this->access->fleet();
    }
}

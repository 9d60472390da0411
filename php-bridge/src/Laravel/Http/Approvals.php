<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

use AgentWorkers\Decision;
use AgentWorkers\Event\PermissionRequest;
use AgentWorkers\Laravel\Signing;
use AgentWorkers\Laravel\Stream\Store;
use AgentWorkers\Shown;
use Closure;

/**
 * Passes answers from one request to another, which streams the run. They meet in the cache under the owner, the run
 * and the question, so that an answer never counts for another question or comes from somebody else.
 *
 * @internal
 */
final class Approvals
{
    public const TOO_LONG = 'The call is too long to be shown to the person who decides.';
    private const LONGEST_S = 7 * 24 * 3600;

    public function __construct(private readonly Store $store, private readonly Signing $signing)
    {
    }

    /** @return Closure(PermissionRequest): ?Decision for Run::onPermission() */
    public function of(string $owner): Closure
    {
        $asked = [];

        return function (PermissionRequest $question) use ($owner, &$asked): ?Decision {
            if ($question->truncatedBytes !== null) {
                return Decision::deny(self::TOO_LONG);
            }
            $id = $question->permissionId;
            if (!isset($asked[$id])) {
                $asked[$id] = true;
                $shown = $this->signing->isOn() ? Shown::of($question) : null;
                $this->store->putQuestion($owner, $question->run, $id, self::expiry($question->expiresAt), [], $shown);

                return null;
            }

            return self::decision($this->store->answer($owner, $question->run, $id));
        };
    }

    public function answer(
        ?string $owner,
        string $run,
        string $permission,
        Decision $decision,
        ?string $actor = null,
    ): Approval {
        $expiry = $owner === null ? null : $this->store->question($owner, $run, $permission);
        if ($expiry === null) {
            return Approval::Unknown;
        }
        $isOver = $expiry <= time() || $this->store->isOver($owner, $run);
        $signed = $this->signing->decision($this->store->shown($owner, $run, $permission), $decision->by($actor));
        $answer = ['behavior' => $signed->behavior, 'message' => $signed->message, 'actor' => $signed->actor]
            + ($signed->signature === null ? [] : ['signature' => $signed->signature]);

        return !$isOver && $this->store->addAnswer($owner, $run, $permission, $expiry, $answer)
            ? Approval::Taken
            : Approval::Over;
    }

    /** @param array{behavior: string, message: string|null, actor?: string|null, signature?: string}|null $answer */
    private static function decision(?array $answer): ?Decision
    {
        $decision = match ($answer['behavior'] ?? null) {
            null => null,
            Decision::ALLOW => Decision::allow(),
            default => Decision::deny($answer['message'] ?? null),
        };

        return $decision?->by($answer['actor'] ?? null)->signed($answer['signature'] ?? null);
    }

    /** By the clock on the wall, which another process reads. */
    public static function expiry(string $expiresAt): int
    {
        $time = strtotime($expiresAt);

        return min($time === false ? PHP_INT_MAX : $time, time() + self::LONGEST_S);
    }
}

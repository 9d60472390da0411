<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

use AgentWorkers\Event\Question;
use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Laravel\Signing;
use AgentWorkers\Laravel\Stream\Store;
use AgentWorkers\Laravel\Words;
use AgentWorkers\Run;
use AgentWorkers\Shown;
use Closure;

/**
 * Passes the visitor's answers to an agent's questions from one request to another, which holds the run, as Approvals
 * does with decisions.
 *
 * @internal
 */
final class Answers
{
    private const LONGEST = 10_000;

    public function __construct(private readonly Store $store, private readonly Signing $signing)
    {
    }

    /** Lets the owner answer in other requests. */
    public function of(Run $run, string $owner): Closure
    {
        $asked = [];

        return function (Question $question) use ($run, $owner, &$asked): ?array {
            $id = $question->questionId;
            if (!isset($asked[$id])) {
                $asked[$id] = true;
                $expiry = Approvals::expiry($question->expiresAt);
                $shown = $this->signing->isOn() ? Shown::of($question) : null;
                $this->store->putQuestion($owner, $run->id, self::key($id), $expiry, $question->questions, $shown);

                return null;
            }
            $answer = $this->store->answer($owner, $run->id, self::key($id));
            if ($answer !== null) {
                $run->answer($id, $answer['answers'], $answer['actor'], $answer['signature'] ?? null);
            }

            return null;
        };
    }

    /**
     * @param array<array-key, mixed> $answers
     *
     * @throws InvalidArgumentException they do not answer what is asked
     */
    public function answer(?string $owner, string $run, string $question, array $answers, ?string $actor): Approval
    {
        $expiry = $owner === null ? null : $this->store->question($owner, $run, self::key($question));
        if ($expiry === null) {
            return Approval::Unknown;
        }
        if ($expiry <= time() || $this->store->isOver($owner, $run)) {
            return Approval::Over;
        }
        self::check($this->store->questionItems($owner, $run, self::key($question)), $answers);
        $shown = $this->store->shown($owner, $run, self::key($question));
        $signature = $this->signing->answers($shown, $answers, $actor);
        $answer = ['answers' => $answers, 'actor' => $actor] + ($signature === null ? [] : ['signature' => $signature]);

        return $this->store->addAnswer($owner, $run, self::key($question), $expiry, $answer)
            ? Approval::Taken
            : Approval::Over;
    }

    /**
     * The worker would refuse other answers, and the question would stay open for nobody.
     *
     * @param list<array<string, mixed>> $items
     * @param array<array-key, mixed> $answers
     */
    public static function check(array $items, array $answers): void
    {
        $multi = array_column($items, 'multi', 'question');
        $unknown = array_key_first(array_diff_key($answers, $multi));
        if ($unknown !== null) {
            throw new InvalidArgumentException(Words::of('refused.not_asked', ['question' => (string) $unknown]));
        }
        foreach ($multi as $question => $isMulti) {
            $answer = $answers[$question] ?? null;
            $texts = $isMulti && is_array($answer) && array_is_list($answer) && $answer !== [] ? $answer : [$answer];
            foreach ($texts as $text) {
                if (!is_string($text) || $text === '' || mb_strlen($text) > self::LONGEST) {
                    $key = $isMulti ? 'refused.answers' : 'refused.answer';
                    throw new InvalidArgumentException(Words::of($key, ['question' => (string) $question]));
                }
            }
        }
    }

    /** Permissions have ids of their own. */
    private static function key(string $question): string
    {
        return "question:$question";
    }
}

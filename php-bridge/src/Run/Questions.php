<?php

declare(strict_types=1);

namespace AgentWorkers\Run;

use AgentWorkers\Event\Event;
use AgentWorkers\Event\Question;
use AgentWorkers\Event\QuestionResolved;
use AgentWorkers\Exception\InvalidArgumentException;
use Psr\Log\LoggerInterface;

/**
 * A run's open questions to the user. If a closure fails, nobody answers: the worker tells the agent so when the time
 * is up.
 *
 * @internal
 *
 * @extends OpenQuestions<Question, array<string, string|list<string>>>
 */
final class Questions extends OpenQuestions
{
    private const FORM = 'Pass an array with the text of each question as key, and as value a text, or a list of texts '
        . 'where several options may be chosen.';

    /** @param \Closure(string, array<string, string|list<string>>): mixed $answer */
    public function __construct(private readonly \Closure $answer, private readonly LoggerInterface $logger)
    {
    }

    /**
     * Returns the answers if they can be sent.
     *
     * @param array<array-key, mixed> $answers
     *
     * @return array<array-key, string|list<string>>
     *
     * @throws InvalidArgumentException
     */
    public static function checked(array $answers): array
    {
        foreach ($answers as $answer) {
            $texts = is_array($answer) && array_is_list($answer) && $answer !== [] ? $answer : [$answer];
            foreach ($texts as $text) {
                if (!is_string($text) || $text === '') {
                    throw new InvalidArgumentException('An answer is no text. ' . self::FORM);
                }
            }
        }

        return $answers !== [] ? $answers : throw new InvalidArgumentException('There are no answers. ' . self::FORM);
    }

    protected function asked(Event $event): ?string
    {
        return $event instanceof Question ? $event->questionId : null;
    }

    protected function resolved(Event $event): ?string
    {
        return $event instanceof QuestionResolved ? $event->questionId : null;
    }

    /** @return array<array-key, string|list<string>>|null */
    protected function read(mixed $answer): ?array
    {
        return match (true) {
            $answer === null => null,
            is_array($answer) => self::checked($answer),
            default => throw new \UnexpectedValueException(
                'A closure of onQuestion() must return an array or null, not ' . get_debug_type($answer) . '. '
                    . self::FORM,
            ),
        };
    }

    protected function send(Event $question, mixed $answer): void
    {
        $question->truncatedBytes === null && self::hold($question, $answer);
        ($this->answer)($question->questionId, $answer);
    }

    protected function failed(Event $question, \Throwable $error): void
    {
        $context = ['exception' => $error, 'run' => $question->run, 'question' => $question->questionId];
        $message = 'A question of the agent stays unanswered because the closure failed: ' . $error->getMessage();
        $this->logger->error($message, $context);
    }

    /**
     * The worker would refuse other answers, and nobody would see why.
     *
     * @param array<array-key, string|list<string>> $answers
     *
     * @throws InvalidArgumentException
     */
    private static function hold(Question $question, array $answers): void
    {
        $multi = array_column($question->questions, 'multi', 'question');
        foreach (array_keys(array_diff_key($answers, $multi)) as $unknown) {
            throw new InvalidArgumentException("\"$unknown\" was not asked. " . self::FORM);
        }
        foreach ($multi as $text => $isMulti) {
            $answer = $answers[$text] ?? throw new InvalidArgumentException("\"$text\" has no answer. " . self::FORM);
            if (is_array($answer) && !$isMulti) {
                throw new InvalidArgumentException("\"$text\" takes one answer, not a list. " . self::FORM);
            }
        }
    }
}

<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Stream;

use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Exception\RunOverException;
use AgentWorkers\Laravel\Words;
use AgentWorkers\Run;
use Illuminate\Support\Str;

/**
 * Passes words to an agent from one request to another, which holds the run. Either the run's process takes a word, and
 * then the worker tells what came of it, or the sender takes it back: none is lost in silence.
 *
 * @internal
 */
final class Steering
{
    /** How long a sender waits for the run's process, which may be at work in a tool of the application. */
    private const PATIENCE_S = 5.0;
    private const POLL_US = 20_000;
    private const MOST = 1_000;
    /** The worker refuses blanks of any kind. */
    private const SAYS_SOMETHING = '/[^\s\p{Z}\x1c-\x1f\x{85}]/u';

    public function __construct(private readonly Store $store)
    {
    }

    /**
     * @return string|null id of the message, as `ack` and `steered` bear it; null if the run's process did not come to
     *                     take it
     *
     * @throws RunOverException there is no such run, or it has ended
     */
    public function say(?string $owner, string $run, string $text, ?string $actor): ?string
    {
        self::checked($text);
        if ($owner === null || $this->store->head($owner, $run) === null) {
            throw new RunOverException(false);
        }
        $id = 'steer-' . Str::uuid();
        $this->store->isOver($owner, $run) ? throw new RunOverException(true) : $this->add($owner, $run, [
            'id' => $id, 'text' => $text, 'actor' => $actor,
        ]);
        for ($end = microtime(true) + self::PATIENCE_S; microtime(true) < $end; usleep(self::POLL_US)) {
            if ($this->store->isWordTaken($owner, $run, $id)) {
                return $id;
            }
            if ($this->store->isOver($owner, $run)) {
                break;
            }
        }
        if (!$this->store->settleWord($owner, $run, $id, false)) {
            return $id; // taken in the last moment
        }

        return $this->store->isOver($owner, $run) ? throw new RunOverException(true) : null;
    }

    /** @throws InvalidArgumentException it says nothing */
    public static function checked(string $text): string
    {
        return preg_match(self::SAYS_SOMETHING, $text) === 0
            ? throw new InvalidArgumentException(Words::of('refused.nothing_said'))
            : $text;
    }

    /** @return \Closure(): void to be called often in the run's process: passes on what was said */
    public function deliver(Run $run, string $owner): \Closure
    {
        $next = 0;

        return function () use ($run, $owner, &$next): void {
            while (!$run->isStopping() && ($word = $this->store->word($owner, $run->id, $next)) !== null) {
                $next++;
                if ($this->store->settleWord($owner, $run->id, $word['id'], true)) {
                    $run->steer($word['text'], $word['actor'], $word['id']);
                }
            }
        };
    }

    /** @param array{id: string, text: string, actor: string|null} $word */
    private function add(string $owner, string $run, array $word): void
    {
        for ($number = 0; !$this->store->addWord($owner, $run, $number, $word); $number++) {
            if ($number >= self::MOST) {
                throw new InvalidArgumentException(Words::of('refused.too_much_said'));
            }
        }
    }
}

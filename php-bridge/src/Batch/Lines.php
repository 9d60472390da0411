<?php

declare(strict_types=1);

namespace AgentWorkers\Batch;

use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Exception\LogicException;
use AgentWorkers\Request;

/**
 * Writes requests as lines for agent-batch, and reads its lines as results.
 *
 * @internal
 */
final class Lines
{
    private const SKILLS_WORKER = 'agent-skill';

    /** @var list<BatchResult> of requests that JSON cannot say */
    private array $refused = [];

    /** @param iterable<array-key, Request> $requests */
    public function __construct(private readonly iterable $requests)
    {
    }

    /** @return \Generator<int, string|null> null for a request that JSON cannot say: refused() has its result */
    public function written(): \Generator
    {
        foreach ($this->requests as $key => $request) {
            self::check($key, $request);
            try {
                yield self::line($key, $request);
            } catch (InvalidArgumentException $error) {
                $this->refused[] = self::refusal($key, $error->getMessage());
                yield null;
            }
        }
    }

    /** @return list<BatchResult> those since the last call */
    public function refused(): array
    {
        [$refused, $this->refused] = [$this->refused, []];

        return $refused;
    }

    /** @return BatchResult|null null if it is none of agent-batch's lines */
    public static function read(string $line): ?BatchResult
    {
        $data = json_decode($line, true);
        $key = is_array($data) ? $data['key'] ?? null : null;

        return is_string($key) || is_int($key) ? new BatchResult($key, $data) : null;
    }

    /** @phpstan-assert Request $request */
    public static function check(mixed $key, mixed $request): void
    {
        if (!is_int($key) && !is_string($key)) {
            throw new InvalidArgumentException(
                'The key of a request in a batch is ' . get_debug_type($key) . '. Give each a string or an int as key.',
            );
        }
        if (!$request instanceof Request) {
            throw new InvalidArgumentException(
                "In a batch, $key is " . get_debug_type($request) . ', not a Request.',
            );
        }
        if ($request->handlers() !== []) {
            throw new LogicException(
                "In a batch, $key has tools with closures, which nobody could call. Run it by itself.",
            );
        }
        if ($request->hasCredential()) {
            throw new LogicException(
                "In a batch, $key has a credential(), but all its requests share one. Run it by itself.",
            );
        }
    }

    public static function workerOf(Request $request): ?string
    {
        $worker = $request->get('worker') ?? ($request->get('skill') === null ? null : self::SKILLS_WORKER);

        return is_string($worker) ? $worker : null;
    }

    private static function line(int|string $key, Request $request): string
    {
        $worker = self::workerOf($request);
        $named = $worker === null ? $request : $request->with('worker', $worker);
        // What is no UTF-8 would not come back as it was.
        $isText = !is_string($key) || preg_match('//u', $key) === 1;

        return $isText
            ? $named->with('key', $key)->toJson()
            : throw new InvalidArgumentException('The key of the request is not UTF-8.');
    }

    private static function refusal(int|string $key, string $message): BatchResult
    {
        $error = ['code' => 'invalid_request', 'message' => $message, 'retryable' => false];

        return new BatchResult($key, ['status' => 'error', 'error' => $error, 'attempts' => 0]);
    }
}

<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel;

use AgentWorkers\Event\AppToolCall;
use AgentWorkers\Exception\LogicException;
use AgentWorkers\Exception\ToolException;
use AgentWorkers\Run\AppToolResult;
use AgentWorkers\Run\KeptResult;
use Illuminate\Contracts\Config\Repository;
use Illuminate\Database\ConnectionInterface;
use Illuminate\Database\ConnectionResolverInterface;
use Illuminate\Database\QueryException;

/**
 * Keeps the results of tools that take effect once, by the keys of their effects.
 *
 * The row is inserted before the handler runs, in the same transaction: another attempt at the same time waits at the
 * key until this one has committed, or has left no row.
 *
 * @internal
 */
final class Effects
{
    private const ATTEMPTS = 3;
    private const BUSY = 'Another attempt is doing the same. Try again later.';
    /** What databases say when they have waited long enough for another transaction. */
    private const OWN = 'Use DB::transaction() in it, which nests, and no statement that commits by itself.';
    /** A row without content is committed only by a handler that ends the transaction by itself, and was cut off then. */
    private const CUT = 'An earlier attempt broke off. It is not known what it has done.';
    private const WAITS = '/database is locked|lock wait timeout|deadlock|could not serialize|lock timeout/i';

    public function __construct(
        private readonly ConnectionResolverInterface $databases,
        private readonly Repository $config,
    ) {
    }

    /**
     * @param \Closure(): mixed $run the handler; what it throws leaves no row
     */
    public function once(AppToolCall $call, \Closure $run): KeptResult
    {
        $key = $call->effectKey ?? throw new LogicException(
            "The tool $call->name runs once for each effect, but the worker named none. Install the agent-workers that "
                . 'belong to this package.',
        );
        $database = $this->databases->connection($this->config->get('agent-workers.effects.connection'));
        for ($attempt = 1; $attempt <= self::ATTEMPTS; $attempt++) {
            $content = $database->transaction(fn (): string|array|null => $this->first($database, $key, $call, $run));
            $known = $content === null ? $this->record($database, $key) : null;
            if ($content !== null || $known !== null) {
                return new KeptResult($content ?? $known, $content === null);
            }
        }
        throw new ToolException(self::BUSY, retryable: true);
    }

    /** @return string|list<array<string, mixed>>|null the content; null where there is a row already */
    private function first(
        ConnectionInterface $database,
        string $key,
        AppToolCall $call,
        \Closure $run,
    ): string|array|null {
        $row = ['effect_key' => $key, 'tool' => mb_substr($call->name, 0, 64), 'created_at' => date('Y-m-d H:i:s')];
        try {
            if ($database->table($this->table())->insertOrIgnore($row) === 0) {
                return null;
            }
        } catch (QueryException $error) {
            throw self::isWait($error) ? new ToolException(self::BUSY, 0, $error, true) : $error;
        }
        $level = $database->transactionLevel();
        $content = AppToolResult::of($run());
        if ($database->transactionLevel() > $level) {
            $database->rollBack($level); // what is left open would never be committed
            throw new LogicException("The tool $call->name has begun a transaction and not ended it. " . self::OWN);
        }
        $json = json_encode($content, JSON_THROW_ON_ERROR);
        if ($database->table($this->table())->where('effect_key', $key)->update(['content' => $json]) === 0) {
            throw new LogicException("The tool $call->name has rolled back the transaction around it. " . self::OWN);
        }

        return $content;
    }

    private static function isWait(QueryException $error): bool
    {
        return preg_match(self::WAITS, $error->getMessage()) === 1;
    }

    /** @return string|list<array<string, mixed>>|null */
    private function record(ConnectionInterface $database, string $key): string|array|null
    {
        $row = $database->table($this->table())->where('effect_key', $key)->lockForUpdate()->first();
        if ($row === null) {
            return null; // the other attempt has failed
        }

        return json_decode($row->content ?? throw new ToolException(self::CUT), true, 512, JSON_THROW_ON_ERROR);
    }

    private function table(): string
    {
        return (string) $this->config->get('agent-workers.effects.table', 'agent_effects');
    }
}

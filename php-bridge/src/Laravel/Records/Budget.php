<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Records;

use AgentWorkers\Event\EventFactory;
use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Exception\LogicException;
use AgentWorkers\Exception\RunFailedException;
use AgentWorkers\Laravel\Registry;
use Carbon\CarbonImmutable;
use Illuminate\Contracts\Config\Repository;
use Psr\Log\LoggerInterface;

/**
 * Refuses runs where what may be spent in a day has been spent, as the records tell. Runs that are under way count when
 * they end.
 *
 * @internal
 */
final class Budget
{
    private const LIMITS = ['user' => true, 'tenant' => true, 'total' => true];
    private const MESSAGE = 'What may be spent on agents today has been spent. Try again tomorrow.';

    public function __construct(
        private readonly Registry $registry,
        private readonly Repository $config,
        private readonly Settings $settings,
        private readonly Database $database,
        private readonly LoggerInterface $logger,
    ) {
    }

    /**
     * @throws RunFailedException budget_exhausted
     * @throws LogicException there are budgets, but no records that tell what was spent
     */
    public function check(?string $user, ?string $tenant): void
    {
        $limits = $this->limits($user, $tenant);
        if ($limits === []) {
            return;
        }
        if (!$this->settings->isOn()) {
            throw new LogicException(
                'Budgets need records, which tell what was spent. Set AGENT_WORKERS_RECORDS=true, or remove them.',
            );
        }
        $zone = (string) ($this->config->get('app.timezone') ?: 'UTC');
        $now = CarbonImmutable::now($zone);
        foreach (['user' => $user, 'tenant' => $tenant, 'total' => ''] as $of => $name) {
            $limit = $limits[$of] ?? null;
            if ($limit !== null && $name !== null && $this->spent($of, $name, $now->startOfDay()) >= $limit) {
                throw self::refusal($now);
            }
        }
    }

    /** @return array{user?: float, tenant?: float, total?: float} US dollars a day */
    private function limits(?string $user, ?string $tenant): array
    {
        $said = $this->registry->budget === null
            ? $this->config->get('agent-workers.records.budgets', [])
            : ($this->registry->budget)($user, $tenant);
        $limits = is_int($said) || is_float($said) ? ['user' => $said] : (array) $said;
        $set = array_filter($limits, static fn (mixed $limit): bool => $limit !== null);
        if (array_diff_key($set, self::LIMITS) !== [] || array_filter($set, is_numeric(...)) !== $set) {
            throw new InvalidArgumentException(
                'A budget is a number of US dollars a day, or an array of such with user, tenant and total.',
            );
        }

        return array_map(floatval(...), $set);
    }

    private function spent(string $of, string $name, CarbonImmutable $since): float
    {
        try {
            $query = $this->database->table('agent_usage')->where('turn', 0)
                ->where('at', '>=', UtcTime::format($since));

            return (float) ($of === 'total' ? $query : $query->where($of, $name))->sum('cost_usd');
        } catch (\Throwable $error) {
            $message = 'The records\' database failed: nobody knows what was spent, and the run goes on. ';
            $this->logger->warning($message . $error::class, ['code' => $error->getCode()]);

            return 0.0;
        }
    }

    private static function refusal(CarbonImmutable $now): RunFailedException
    {
        $ms = (int) ceil(($now->startOfDay()->addDay()->getTimestampMs()) - $now->getTimestampMs());

        return new RunFailedException(EventFactory::compose('', 1, 'error', [
            'code' => 'budget_exhausted',
            'message' => self::MESSAGE,
            'retryable' => false, // another try within seconds would be refused, too
            'retry_after_ms' => max(1, $ms),
        ]));
    }
}

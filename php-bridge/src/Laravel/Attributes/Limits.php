<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Attributes;

use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Laravel\PendingRun;
use AgentWorkers\Request;
use Attribute;

/** Limits of a run besides its time. What is null is as the configuration says it. */
#[Attribute(Attribute::TARGET_CLASS)]
final class Limits implements AgentAttribute
{
    /**
     * @param float|null $idleTimeoutS seconds of silence after which a run ends
     * @param int|null $maxTokens of one answer, with the engine messages only
     */
    public function __construct(
        public readonly ?float $idleTimeoutS = null,
        public readonly ?float $maxBudgetUsd = null,
        public readonly ?int $maxTurns = null,
        public readonly ?int $maxTokens = null,
    ) {
        foreach (get_object_vars($this) as $name => $value) {
            $value === null || ($value > 0 && is_finite($value)) || throw new InvalidArgumentException(
                "$name must be more than 0, and a number",
            );
        }
    }

    public function apply(PendingRun $run): PendingRun
    {
        return $run->configure(function (Request $request): Request {
            $request = $request->limits(idleTimeoutS: $this->idleTimeoutS, maxBudgetUsd: $this->maxBudgetUsd);
            $request = $this->maxTurns === null ? $request : $request->maxTurns($this->maxTurns);

            return $this->maxTokens === null ? $request : $request->maxTokens($this->maxTokens);
        });
    }
}

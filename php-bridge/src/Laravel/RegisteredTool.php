<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel;

/** A tool that Agent::tool() has registered. */
final class RegisteredTool
{
    /** @internal */
    public function __construct(private readonly Registry $registry, private readonly string $tool)
    {
    }

    /**
     * Runs the handler once for each effect, however often the run is tried: it runs in a database transaction, which
     * also keeps its result, and a later attempt is answered from there. What the handler does elsewhere than in this
     * database is not covered: pass `AppToolCall::$effectKey` on to it.
     */
    public function once(): self
    {
        $this->registry->runOnce($this->tool);

        return $this;
    }
}

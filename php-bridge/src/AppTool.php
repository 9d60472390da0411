<?php

declare(strict_types=1);

namespace AgentWorkers;

use AgentWorkers\Exception\ToolException;

/** A tool of the application: the model calls it, and it runs here, with the application's rights. */
interface AppTool
{
    /** 1 to 64 of `A-Z a-z 0-9 _ -`. */
    public function name(): string;

    /** What it does and when to use it, for the model to read. */
    public function description(): string;

    /** @return array<string, mixed>|\stdClass JSON Schema of the input, with `"type": "object"` */
    public function schema(): array|\stdClass;

    /**
     * Runs the tool. The input satisfies the schema, but it was written by the model: whoever steers the model steers
     * it, and may ask for what the visitor must not see.
     *
     * @param array<string, mixed> $input
     *
     * @return mixed text, a ToolContent, or what JSON can say
     *
     * @throws ToolException the model is told its message; of anything else that is thrown it learns only that the
     *                       tool failed
     */
    public function handle(array $input): mixed;
}

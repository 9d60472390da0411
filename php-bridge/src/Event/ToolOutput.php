<?php

declare(strict_types=1);

namespace AgentWorkers\Event;

/**
 * A piece of what a tool prints while it runs, if the request asked for it (Request::toolOutput()). `stream` is stdout
 * or stderr. The `tool_result` still has the whole.
 */
final class ToolOutput extends Event
{
    public readonly string $toolUseId;
    public readonly string $stream;
    /** With carriage returns and the codes of colours. `truncatedBytes` counts what is left out. */
    public readonly string $text;

    protected function read(Fields $fields): void
    {
        $this->toolUseId = $fields->string('tool_use_id');
        $this->stream = $fields->string('stream');
        $this->text = $fields->string('text');
    }
}

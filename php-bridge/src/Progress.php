<?php

declare(strict_types=1);

namespace AgentWorkers;

/**
 * What a tool of the application prints while it runs. A handler gets it by a parameter of this type, or of the name
 * `$progress`. Where the run did not ask for output (Request::toolOutput()), what is written is dropped.
 */
final class Progress
{
    /** @param \Closure(string): mixed $print */
    public function __construct(private readonly \Closure $print)
    {
    }

    /** Shows the text at once. Begin a new line by `"\n"`. */
    public function write(string $text): void
    {
        $text === '' || ($this->print)($text);
    }
}

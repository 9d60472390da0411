<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel;

/**
 * Who may run a tool from a chat.
 *
 * @internal
 */
final class CommandRule
{
    /**
     * @param \Closure|string|bool $allow a closure that takes the user and the input; an ability of the gate; everybody
     * @param array<string, mixed>|\stdClass|null $schema of the tool's input, where the tool does not say
     */
    public function __construct(
        public readonly \Closure|string|bool $allow,
        public readonly array|\stdClass|null $schema,
    ) {
    }

    /** Whether it decides on guests, too: a closure that takes no null is for users, as in the gate. */
    public function takesGuests(): bool
    {
        $parameters = $this->allow instanceof \Closure ? (new \ReflectionFunction($this->allow))->getParameters() : [];

        return $parameters === [] || $parameters[0]->allowsNull();
    }

    /** Whether it decides by the input, too. */
    public function needsInput(): bool
    {
        return $this->allow instanceof \Closure && (new \ReflectionFunction($this->allow))->getNumberOfParameters() > 1;
    }
}

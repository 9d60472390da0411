<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Console;

/**
 * For commands that write classes.
 *
 * @internal
 */
trait FindsStubs
{
    /** The application's own, if it has published and changed it. */
    private function stub(string $name): string
    {
        $own = $this->laravel->basePath("stubs/$name");

        return is_file($own) ? $own : dirname(__DIR__, 3) . "/stubs/$name";
    }
}

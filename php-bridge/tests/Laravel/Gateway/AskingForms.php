<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel\Gateway;

use Illuminate\Foundation\Http\Middleware\VerifyCsrfToken;

/** The middleware that an application's own is made of, at work in tests, too. */
final class AskingForms extends VerifyCsrfToken
{
    protected function runningUnitTests(): bool
    {
        return false;
    }
}

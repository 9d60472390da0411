<?php

declare(strict_types=1);

namespace App\Console;

use Illuminate\Console\Scheduling\Schedule;
use Illuminate\Foundation\Console\Kernel as ConsoleKernel;

final class Kernel extends ConsoleKernel
{
    protected function schedule(Schedule $schedule): void
    {
        // Sends at ten what is a day old, and takes at two and at six what has come.
        $night = $schedule->command('partners:recompute-health --all --stale=1d --economy');
        $night->cron('0 22,2,6 * * *')->withoutOverlapping();
    }

    protected function commands(): void
    {
        $this->load(__DIR__ . '/Commands');
    }
}

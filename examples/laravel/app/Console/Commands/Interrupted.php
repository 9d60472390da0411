<?php

declare(strict_types=1);

namespace App\Console\Commands;

/** Somebody stopped the command. */
final class Interrupted extends \RuntimeException
{
    public function __construct()
    {
        parent::__construct('Stopped. Start it again to go on.');
    }
}

<?php

declare(strict_types=1);

namespace AgentWorkers\Sse;

enum Format: string
{
    case Native = 'native';
    case Laravel = 'laravel';

    public function encoder(): Encoder
    {
        return match ($this) {
            self::Native => new NativeEncoder(),
            self::Laravel => new LaravelEncoder(),
        };
    }
}

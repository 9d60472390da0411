<?php

declare(strict_types=1);

namespace AgentWorkers\Sse;

use AgentWorkers\Exception\InvalidArgumentException;

enum Format: string
{
    case Native = 'native';
    case Laravel = 'laravel';
    /** The UI message stream of Vercel's AI SDK 7: `useChat`. */
    case AiSdk = 'ai-sdk';
    /** AG-UI 1.0. */
    case AgUi = 'ag-ui';

    /** @throws InvalidArgumentException there is none of this name */
    public static function named(string $name): self
    {
        return self::tryFrom($name) ?? throw new InvalidArgumentException(
            "There is no format \"$name\". Write native, laravel, ai-sdk or ag-ui.",
        );
    }

    public function encoder(): Encoder
    {
        return match ($this) {
            self::Native => new NativeEncoder(),
            self::Laravel => new LaravelEncoder(),
            self::AiSdk => new AiSdkEncoder(),
            self::AgUi => new AgUiEncoder(),
        };
    }

    /** @return array<string, string> the headers that clients expect beside Emitter::HEADERS */
    public static function headersOf(self|Encoder $format): array
    {
        return $format === self::AiSdk || $format instanceof AiSdkEncoder ? AiSdkEncoder::HEADERS : [];
    }
}

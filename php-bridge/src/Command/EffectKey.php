<?php

declare(strict_types=1);

namespace AgentWorkers\Command;

/**
 * Names the effect of a call that a person makes: the one of this tool and input in this run.
 *
 * @internal
 */
final class EffectKey
{
    /** @param array<string, mixed> $input */
    public static function of(string $run, string $tool, array $input): string
    {
        $flags = JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR; // two effects that JSON cannot express are not the same

        return hash('sha256', json_encode([$run, $tool, self::sorted($input), 1], $flags));
    }

    private static function sorted(mixed $value): mixed
    {
        if (is_array($value)) {
            array_is_list($value) || ksort($value, SORT_STRING);

            return array_map(self::sorted(...), $value);
        }

        return $value;
    }
}

<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel;

/**
 * Tells programs of the package from those of one's own.
 *
 * @internal
 */
final class Programs
{
    /**
     * Whether a program is beside another one and the same but for its name, as launchers are and wrappers may be. Any
     * other may do what nobody here knows of.
     *
     * @param string $name that it must have
     */
    public static function areAlike(string $binary, string $name, string $other): bool
    {
        [$program, $launcher] = [(string) realpath($binary), (string) realpath($other)];
        if (basename($program) !== $name || dirname($program) !== dirname($launcher)) {
            return false;
        }
        [$does, $others] = [(string) @file_get_contents($program), (string) @file_get_contents($launcher)];

        return $does === $others || self::nameless($program, $does) === self::nameless($launcher, $others);
    }

    private static function nameless(string $file, string $does): ?string
    {
        $name = '~(?<![\w.-])' . preg_quote(basename($file)) . '(?![\w./-])~'; // a word, or the end of a path

        return preg_replace($name, '', $does);
    }
}

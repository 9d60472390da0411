<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Console;

use Illuminate\Support\Str;

/**
 * For commands that write classes: refuses names that no class can have, because the file would end every request that
 * loads it.
 *
 * @internal
 */
trait ChecksNames
{
    /** Says why the class cannot be called so; null if it can. */
    private function nameProblem(): ?string
    {
        $parts = explode('\\', ltrim(str_replace('/', '\\', $this->getNameInput()), '\\'));
        $word = '/^[a-z_\x80-\xff][a-z0-9_\x80-\xff]*$/i';
        $name = $parts[count($parts) - 1];
        if (preg_grep($word, $parts, PREG_GREP_INVERT) !== [] || $this->isReservedName($name)) {
            $given = implode('/', $parts);

            return "No class can be called \"$given\". Name it as PHP allows it, such as FindDeal or Sales/FindDeal.";
        }
        $imported = '/^use [^;]*\\\\' . preg_quote($name, '/') . ';/mi';
        if (preg_match($imported, (string) file_get_contents($this->getStub())) === 1) {
            return "The class cannot be called $name, for it uses another one of that name. Take a longer name.";
        }

        return null;
    }

    /** Returns the class's name in the form of a tool's: `find_deal` of FindDeal. */
    private static function toolName(string $class): string
    {
        $words = preg_replace('/(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/', '_', Str::ascii($class));

        return strtolower((string) $words);
    }
}

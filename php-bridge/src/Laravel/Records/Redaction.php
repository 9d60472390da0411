<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Records;

use AgentWorkers\Exception\InvalidArgumentException;

/**
 * Replaces what must not be written, in strings at any depth. The names of fields stay.
 *
 * @internal
 */
final class Redaction
{
    /** As the workers' own writer has them, in the order in which they are taken out. */
    private const KNOWN = [
        'email' => '(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]++@[A-Za-z0-9-]++(?:\.[A-Za-z0-9-]++)++',
        'iban' => '(?<![A-Za-z0-9])[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])',
        'phone' => '(?<![A-Za-z0-9.+-])(?:\+|00)[1-9](?:[ ./()-]{0,2}[0-9]){6,14}(?![0-9])'
            . '|(?<![A-Za-z0-9.+-])\(?0[1-9][0-9]{1,4}\)?[ /-](?:[ /-]?[0-9]){4,12}(?![0-9])',
    ];
    private const OWN = '[redacted]';
    /** Levels of a value that are kept: MariaDB takes no JSON of more than 32. */
    private const MOST_DEEP = 24;
    private const TOO_DEEP = '[too deep]';

    /** @var array<string, string> replacements by pattern */
    private array $patterns = [];

    /**
     * @param list<mixed> $rules names, or regular expressions with their delimiters
     *
     * @throws InvalidArgumentException one is neither
     */
    public function __construct(array $rules = [])
    {
        $names = array_flip(array_filter($rules, is_string(...)));
        foreach (array_intersect_key(self::KNOWN, $names) as $name => $known) {
            $this->patterns["~$known~u"] = "[$name]";
        }
        foreach ($rules as $rule) {
            if (is_string($rule) && isset(self::KNOWN[$rule])) {
                continue;
            }
            if (!is_string($rule) || $rule === '' || @preg_match($rule, '') === false) {
                throw new InvalidArgumentException(sprintf(
                    '`records.redact` of config/agent-workers.php cannot have %s. Name one of %s, or write a regular '
                        . 'expression with its delimiters, such as \'/\bK-\d+\b/u\'.',
                    json_encode($rule),
                    implode(', ', array_keys(self::KNOWN)),
                ));
            }
            $this->patterns[$rule] = self::OWN;
        }
    }

    /** Returns a text as it is written. */
    public function text(string $text): string
    {
        $text = Columns::wellFormed($text);
        foreach ($this->patterns as $pattern => $replacement) {
            // Where a pattern gives up, nothing of the text is written.
            $text = preg_replace($pattern, $replacement, $text) ?? self::OWN;
        }

        return $text;
    }

    /** Returns a JSON value as it is written. */
    public function of(mixed $value, int $depth = self::MOST_DEEP): mixed
    {
        if (is_string($value)) {
            return $this->text($value);
        }
        if (!is_array($value) && !$value instanceof \stdClass) {
            return $value;
        }
        if ($depth === 0) {
            return self::TOO_DEEP;
        }
        $kept = [];
        foreach ((array) $value as $name => $item) {
            $kept[is_int($name) ? $name : Columns::wellFormed($name)] = $this->of($item, $depth - 1);
        }

        return is_array($value) ? $kept : (object) $kept;
    }
}

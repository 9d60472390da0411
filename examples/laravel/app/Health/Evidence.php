<?php

declare(strict_types=1);

namespace App\Health;

use Illuminate\Support\Carbon;
use Illuminate\Support\Str;

/** What a pointer of an output leads to in the input, as people read it. Plain text: whoever shows it escapes it. */
final class Evidence
{
    private const ACRONYMS = ['csat' => 'CSAT', 'nps' => 'NPS', 'mdf' => 'MDF'];

    /** @param string|null $value null where it is not there, or too much to show */
    private function __construct(
        public readonly string $pointer,
        public readonly string $label,
        public readonly ?string $value,
    ) {
    }

    /** @param array<string, mixed> $input */
    public static function of(string $pointer, array $input): self
    {
        $steps = array_map(
            static fn (string $step): string => strtr($step, ['~1' => '/', '~0' => '~']),
            array_slice(explode('/', $pointer), 1),
        );
        $found = $input;
        foreach ($steps as $step) {
            $found = is_array($found) ? $found[$step] ?? null : null;
        }
        $note = ($steps[0] ?? '') === 'notes' && isset($steps[1]) ? $input['notes'][$steps[1]] ?? null : null;

        return is_array($note)
            ? new self($pointer, self::nameOfNote($note), Str::limit((string) $note['text'], 280))
            : new self($pointer, self::name(end($steps) ?: $pointer), self::text(end($steps) ?: '', $found));
    }

    /** @param array<string, mixed> $note */
    private static function nameOfNote(array $note): string
    {
        $author = $note['author'] ?? null;

        return self::date((string) $note['date']) . ($author === null ? '' : ", $author");
    }

    private static function name(string $step): string
    {
        $words = explode('_', (string) preg_replace('/_(eur|pct|on|90d)$/', '', $step));
        $name = implode(' ', array_map(static fn (string $word): string => self::ACRONYMS[$word] ?? $word, $words));

        return ucfirst($name) . (str_ends_with($step, '_90d') ? ' in 90 days' : '');
    }

    private static function text(string $step, mixed $value): ?string
    {
        return match (true) {
            is_array($value) => $value === [] ? 'none' : null,
            $value === null => 'unknown',
            str_ends_with($step, '_eur') => self::signed(number_format((float) $value)) . ' EUR',
            str_ends_with($step, '_pct') => self::signed("$value") . ' %',
            str_ends_with($step, '_on'), $step === 'date' => self::date((string) $value),
            str_ends_with($step, '_days') => "$value days",
            is_bool($value) => $value ? 'yes' : 'no',
            default => Str::limit((string) $value, 280),
        };
    }

    private static function signed(string $number): string
    {
        return str_replace('-', '−', $number);
    }

    private static function date(string $date): string
    {
        try {
            return Carbon::parse($date)->format('j M Y');
        } catch (\Exception) {
            return $date;
        }
    }
}

<?php

declare(strict_types=1);

namespace AgentWorkers\Sse;

/**
 * Counts tokens as AG-UI does: its totals include what was read from the cache and written to it; ours don't.
 *
 * @internal
 */
final class AgUiUsage
{
    /** AG-UI has no larger counts. */
    private const MOST = 2 ** 53 - 1;
    private const CACHED = [
        'cachedInputTokens' => 'cache_read_input_tokens',
        'cacheWriteInputTokens' => 'cache_creation_input_tokens',
    ];

    /** @return list<array<string, mixed>> an entry for each model, or one for the run where they are not told apart */
    public static function of(mixed $usage, mixed $models, ?string $model): array
    {
        $entries = [];
        $isByModel = $models instanceof \stdClass && (array) $models !== [];
        foreach ($isByModel ? get_object_vars($models) : [$model => $usage] as $name => $counts) {
            $label = !$isByModel && $model === null ? [] : ['model' => (string) $name];
            $entry = self::entry($counts);
            if ($entry !== []) {
                $entries[] = $label + $entry;
            }
        }

        return $entries;
    }

    /** @return array<string, int> */
    private static function entry(mixed $counts): array
    {
        $known = $counts instanceof \stdClass ? array_filter(get_object_vars($counts), self::isCount(...)) : [];
        $entry = [];
        if (isset($known['input_tokens'])) {
            $cached = array_map(static fn (string $name): ?int => $known[$name] ?? null, self::CACHED);
            $cached = array_filter($cached, is_int(...));
            $entry = ['inputTokens' => $known['input_tokens'] + array_sum($cached)] + $cached;
        }
        if (isset($known['output_tokens'])) {
            $entry['outputTokens'] = $known['output_tokens'];
        }
        if (isset($entry['inputTokens'], $entry['outputTokens'])) {
            $entry['totalTokens'] = $entry['inputTokens'] + $entry['outputTokens'];
        }

        return array_filter($entry, static fn (int $count): bool => $count <= self::MOST);
    }

    private static function isCount(mixed $value): bool
    {
        return is_int($value) && 0 <= $value && $value <= self::MOST;
    }
}

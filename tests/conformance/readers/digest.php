<?php
// Prints the digest of each recorded run: `php digest.php FOLDER`, as conformance/README.md says.
declare(strict_types=1);

function encoded(mixed $value): string
{
    if (is_array($value) && array_is_list($value)) {
        return 'l' . implode('', array_map('encoded', $value)) . 'e';
    }
    if (is_array($value)) {
        $fields = array_filter($value, fn(mixed $item): bool => $item !== null);
        ksort($fields, SORT_STRING);
        $parts = array_map(fn(int|string $name, mixed $item): string => encoded((string) $name) . encoded($item), array_keys($fields), $fields);

        return $parts === [] ? 'le' : 'd' . implode('', $parts) . 'e';
    }

    return match (true) {
        $value === null => 'n',
        is_bool($value) => $value ? 't' : 'f',
        is_int($value) => "i{$value}e",
        default => strlen($value) . ":$value",
    };
}

function reading(string $recorded, array $facts): array
{
    $entries = [];
    $blocks = ['delta' => [], 'thinking' => []];
    foreach (array_slice(explode("\n", $recorded), 0, -1) as $line) {
        $event = json_decode($line, true, flags: JSON_THROW_ON_ERROR);
        $type = $event['type'];
        if (isset($blocks[$type])) {
            $blocks[$type][$event['block']] = ($blocks[$type][$event['block']] ?? '') . $event['text'];
        } elseif (isset($facts[$type])) {
            $entries[] = [$type, ...array_map(fn(string $name): mixed => $event[$name] ?? null, $facts[$type])];
        }
        foreach ($type === 'discard' ? $event['blocks'] : [] as $block) {
            unset($blocks['delta'][$block], $blocks['thinking'][$block]);
        }
        if (in_array($type, ['done', 'error', 'aborted'], true)) {
            break;
        }
    }
    if (!in_array(end($entries)[0] ?? '', ['done', 'error', 'aborted'], true)) {
        $entries[] = ['error', 'worker_lost', true, null, null];
    }
    array_walk($blocks, fn(array &$texts) => ksort($texts));

    return [$entries, implode('', $blocks['delta']), implode('', $blocks['thinking'])];
}

$folder = $argv[1];
$facts = json_decode(file_get_contents("$folder/reading.json"), true, flags: JSON_THROW_ON_ERROR);
$digests = [];
foreach (glob("$folder/transcripts/*.ndjson") as $file) {
    $digests[basename($file, '.ndjson')] = hash('sha256', encoded(reading(file_get_contents($file), $facts)));
}
echo json_encode($digests), "\n";

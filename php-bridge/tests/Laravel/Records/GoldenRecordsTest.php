<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel\Records;

use AgentWorkers\Event\EventFactory;
use AgentWorkers\Laravel\Records\Change;
use AgentWorkers\Laravel\Records\Database;
use AgentWorkers\Laravel\Records\Facts;
use AgentWorkers\Laravel\Records\Keep;
use AgentWorkers\Laravel\Records\Keeping;
use AgentWorkers\Laravel\Records\Party;
use AgentWorkers\Laravel\Records\Redaction;
use AgentWorkers\Laravel\Records\Settings;
use AgentWorkers\Laravel\Records\Transcript;
use AgentWorkers\Laravel\Records\UtcTime;
use AgentWorkers\Request;
use AgentWorkers\Tests\Laravel\Databases;
use AgentWorkers\Tests\Laravel\TestCase;

/** The rows that any writer of the records must leave: tests/records/golden has them, for the workers' own writer, too. */
final class GoldenRecordsTest extends TestCase
{
    use Databases;

    private const TABLES = [
        'agent_conversations', 'agent_runs', 'agent_messages', 'agent_usage', 'agent_events', 'agent_insights',
    ];
    private const JSON = ['subject', 'tools', 'content', 'payload', 'output', 'needs_review'];

    /** @dataProvider databases */
    public function testTheSameEventsLeaveTheSameRows(string $kind): void
    {
        $this->record($kind);
        foreach (self::names() as $name) {
            array_map(static fn (string $table): int => self::table($table)->delete(), self::TABLES);
            $steps = self::steps($name);
            foreach ($steps as $step) {
                $this->app->make(Database::class)->write(self::header($name)['run'], $step);
            }
            self::assertEquals(self::expected($name), $this->rows(), $name);
        }
    }

    /** @dataProvider databases */
    public function testWhatIsWrittenAgainAndLateLeavesTheSameRows(string $kind): void
    {
        $this->record($kind);
        foreach (['two-attempts', 'discard-retry', 'tools-permission', 'skill'] as $name) {
            array_map(static fn (string $table): int => self::table($table)->delete(), self::TABLES);
            $steps = self::steps($name);
            foreach ($steps as $at => $step) {
                // Three that follow the same run, one of them behind, and one that comes back from the start.
                foreach ([$step, $steps[max(0, $at - 4)], $step, ...array_slice($steps, 0, $at + 1)] as $changes) {
                    $this->app->make(Database::class)->write(self::header($name)['run'], $changes);
                }
            }
            self::assertEquals(self::expected($name), $this->rows(), $name);
        }
    }

    /** @return list<string> */
    private static function names(): array
    {
        $files = glob(self::folder() . '/*.jsonl') ?: self::fail('There are no golden transcripts.');

        return array_map(static fn (string $file): string => basename($file, '.jsonl'), $files);
    }

    /** @return list<list<Change>> what each line changes, as it comes back from a spool */
    private static function steps(string $name): array
    {
        $header = self::header($name);
        $own = array_intersect_key($header, ['subject' => true]); // what whoever records knows besides
        $request = Request::fromArray($own + (array) ($header['request'] ?? []))->run($header['run']);
        $party = new Party(
            $header['conversation_id'] ?? null,
            null,
            $header['user'] ?? null,
            $header['tenant'] ?? null,
        );
        $facts = Facts::of($request, $header['worker'] ?? null, $party, isset($header['request']), $header['at']);
        $own = array_map(static fn (string $pattern): string => "~$pattern~u", $header['patterns'] ?? []);
        $transcript = new Transcript($facts, new Keeping(
            Keep::from($header['keep'] ?? 'everything'),
            new Redaction([...$header['redact'] ?? [], ...$own]),
            $header['events'] ?? Settings::EVENTS,
        ));
        $steps = [$transcript->begin()];
        foreach (array_slice(self::lines($name), 1) as $line) {
            $control = json_decode($line, true)['control'] ?? null;
            if ($control !== null) {
                $transcript->steered($control['id'], $control['text']);
            } else {
                $steps[] = $transcript->note(EventFactory::fromJson($line));
            }
        }
        $again = static fn (Change $change): Change
            => Change::fromArray(json_decode((string) json_encode($change->toArray()), true));

        return array_map(static fn (array $step): array => array_map($again, $step), $steps);
    }

    /** @return array<string, mixed> with objects below the first level */
    private static function header(string $name): array
    {
        return (array) json_decode(self::lines($name)[0]);
    }

    /** @return list<string> */
    private static function lines(string $name): array
    {
        return file(self::folder() . "/$name.jsonl", FILE_IGNORE_NEW_LINES) ?: self::fail($name);
    }

    /** @return array<string, list<array<string, mixed>>> */
    private static function expected(string $name): array
    {
        return json_decode((string) file_get_contents(self::folder() . "/$name.rows.json"), true);
    }

    private static function folder(): string
    {
        return dirname(__DIR__, 4) . '/tests/records/golden';
    }

    /** @return array<string, list<array<string, mixed>>> all rows, in the form of the golden files */
    private function rows(): array
    {
        $rows = [];
        foreach (self::TABLES as $table) {
            $plain = static fn (object $row): array => self::plain((array) $row, $table);
            $found = self::table($table)->get()->map($plain)->all();
            usort($found, static fn (array $one, array $other): int => self::place($one) <=> self::place($other));
            $rows[$table] = $found;
        }

        return $rows;
    }

    /**
     * @param array<string, mixed> $row
     *
     * @return array<string, mixed>
     */
    private static function plain(array $row, string $table): array
    {
        if (!in_array($table, ['agent_conversations', 'agent_runs'], true)) {
            unset($row['id']);
        }
        foreach ($row as $column => $value) {
            $row[$column] = match (true) {
                $value === null => null,
                in_array($column, self::JSON, true) => json_decode($value, true),
                $column === 'cost_usd' => (float) $value,
                $column === 'simulated' => (bool) $value,
                str_ends_with($column, '_at') || $column === 'at' => UtcTime::format(new \DateTimeImmutable(
                    $value,
                    new \DateTimeZone('UTC'),
                )),
                default => $value,
            };
        }

        return $row;
    }

    /**
     * @param array<string, mixed> $row
     *
     * @return list<mixed>
     */
    private static function place(array $row): array
    {
        return [
            $row['run_id'] ?? $row['id'], $row['attempt'] ?? 0, $row['seq'] ?? 0, $row['kind'] ?? '',
            $row['model'] ?? '',
        ];
    }
}

<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Testing;

use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Exception\StrayRunException;
use AgentWorkers\Request;
use AgentWorkers\Testing\FakeRunner;
use AgentWorkers\Testing\Sample;
use AgentWorkers\Testing\Script;
use PHPUnit\Framework\AssertionFailedError;
use PHPUnit\Framework\TestCase;

/** What a fake answers, and by whom. */
final class AnswerTest extends TestCase
{
    private const CITY = [
        'type' => 'object',
        'properties' => [
            'city' => ['type' => 'string', 'minLength' => 6],
            'partners' => ['$ref' => '#/$defs/partners'],
        ],
        'required' => ['city', 'partners'],
        '$defs' => [
            'partners' => ['type' => 'array', 'minItems' => 2, 'items' => ['type' => 'integer', 'minimum' => 3]],
        ],
    ];

    public function testAListIsTheAnswersInTheirOrder(): void
    {
        $runner = new FakeRunner(['One', Script::text('Two'), static fn (): string => 'Three']);
        self::assertSame(['One', 'Two', 'Three', ''], self::texts($runner, 'a', 'b', 'c', 'd'));
    }

    public function testAClosureAnswersEveryRunByItsRequest(): void
    {
        $runner = new FakeRunner(static fn (Request $request): string => strtoupper($request->promptText()));
        self::assertSame(['A', 'B'], self::texts($runner->preventStrayRuns(), 'a', 'b'));
    }

    public function testAClosureMayGiveWhateverAnswers(): void
    {
        $runner = new FakeRunner(static fn (Request $request): mixed => match ($request->promptText()) {
            'fail' => Script::error('overloaded'),
            'output' => ['city' => 'Graz'],
            'number' => 7,
            default => null,
        });
        self::assertSame('', $runner->run(Request::prompt('nothing'))->text);
        self::assertSame(['city' => 'Graz'], $runner->run(Request::prompt('output'))->output);
        $this->expectException(InvalidArgumentException::class);
        $runner->run(Request::prompt('number'));
    }

    public function testEachWorkerHasItsOwnAnswersAndThenThoseOfAll(): void
    {
        $runner = (new FakeRunner('Anybody'))->worker('chat', ['One', 'Two'])
            ->worker('task', static fn (): string => 'T');
        $chat = $runner->as('chat');
        self::assertSame('T', $runner->as('task')->run(Request::prompt('a'))->text);
        self::assertSame('T', $runner->as('task')->run(Request::prompt('b'))->text);
        self::assertSame(['One', 'Two', 'Anybody', ''], self::texts($chat, 'c', 'd', 'e', 'f'));
        $runner->assertRan('a', 'task');
        $runner->assertNotRan('a', 'chat');
        $runner->assertRanTimes(2, worker: 'task');
        $runner->assertRanTimes(6);
        $runner->assertNothingRan('reviewer');
        $runner->assertRan(static fn (Request $request, ?string $worker): bool
            => $worker === 'task' && $request->promptText() === 'b');
        self::assertCount(4, $runner->requests('chat'));
        $this->expectException(AssertionFailedError::class);
        $this->expectExceptionMessage('- task: a');
        $runner->assertNothingRan('task');
    }

    public function testAStrayRunOfAWorkerIsAnError(): void
    {
        $runner = (new FakeRunner())->worker('chat', 'One')->preventStrayRuns();
        $this->expectException(StrayRunException::class);
        $runner->as('task')->run(Request::prompt('a'));
    }

    public function testAnOutputIsThereWhereASchemaIs(): void
    {
        $asked = Request::prompt('a')->outputSchema(self::CITY);
        $runner = new FakeRunner('Some text', '{"city":"Graz"}', Script::output(['city' => 'Rome']));
        self::assertSame(['city' => 'text..', 'partners' => [3, 3]], $runner->run($asked)->output);
        self::assertSame(['city' => 'Graz'], $runner->run($asked)->output);
        $done = $runner->run($asked);
        self::assertSame([['city' => 'Rome'], '{"city":"Rome"}'], [$done->output, $done->text]);
        self::assertNull($runner->run(Request::prompt('Without a schema'))->output);
    }

    /**
     * @dataProvider schemas
     *
     * @param array<string, mixed> $schema
     */
    public function testASampleSatisfiesItsSchema(array $schema, string $sample): void
    {
        self::assertSame($sample, json_encode(Sample::of($schema)));
    }

    /** @return iterable<string, array{array<string, mixed>, string}> */
    public static function schemas(): iterable
    {
        $tree = ['type' => 'object', 'properties' => ['name' => ['type' => 'string'], 'child' => ['$ref' => '#']]];
        $nested = '{"name":"text","child":{"name":"text","child":{"name":"text","child":'
            . '{"name":"text","child":{}}}}}';
        yield 'no properties' => [['type' => 'object'], '{}'];
        yield 'one of' => [['enum' => ['b', 'a']], '"b"'];
        yield 'an example' => [['type' => 'string', 'examples' => ['Graz']], '"Graz"'];
        yield 'a constant' => [['const' => null], 'null'];
        yield 'or nothing' => [['type' => ['null', 'boolean']], 'true'];
        yield 'alternatives' => [['anyOf' => [['type' => 'integer'], ['type' => 'string']]], '0'];
        yield 'a range' => [['type' => 'integer', 'minimum' => 3, 'maximum' => 9, 'multipleOf' => 5], '5'];
        yield 'below zero' => [['type' => 'integer', 'maximum' => -3], '-3'];
        yield 'beyond a limit' => [['type' => 'number', 'exclusiveMinimum' => 1], '1.5'];
        yield 'a date' => [['type' => 'string', 'format' => 'date'], '"2026-01-01"'];
        yield 'a short text' => [['type' => 'string', 'maxLength' => 2], '"te"'];
        yield 'no items' => [['type' => 'array', 'items' => ['type' => 'string'], 'maxItems' => 0], '[]'];
        yield 'both' => [
            ['allOf' => [['properties' => ['a' => ['type' => 'integer']]], ['properties' => ['b' => ['const' => 1]]]]],
            '{"a":0,"b":1}',
        ];
        yield 'a schema that refers to itself' => [$tree, $nested];
        yield 'a required one without a schema' => [['type' => 'object', 'required' => ['x']], '{"x":null}'];
    }

    /** @return list<string> */
    private static function texts(\AgentWorkers\Runner $runner, string ...$prompts): array
    {
        return array_map(static fn (string $prompt): string => $runner->run(Request::prompt($prompt))->text, $prompts);
    }
}

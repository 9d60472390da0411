<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Unit;

use AgentWorkers\Command\Arguments;
use AgentWorkers\Command\Detector;
use AgentWorkers\Exception\InvalidCommandException;
use PHPUnit\Framework\TestCase;

/** What a person types: is it a command, and with which input? */
final class CommandTest extends TestCase
{
    private const SCHEMA = [
        'type' => 'object',
        'properties' => [
            'city' => ['type' => 'string', 'maxLength' => 10],
            'limit' => ['type' => 'integer', 'minimum' => 1],
            'open' => ['type' => 'boolean'],
            'tags' => ['type' => 'array', 'items' => ['type' => 'string']],
            'sort' => ['enum' => ['name', 'city']],
            'near' => ['$ref' => '#/$defs/place'],
            'price' => ['type' => ['number', 'null']],
            'id' => ['anyOf' => [['type' => 'integer'], ['type' => 'string', 'pattern' => '^x-']]],
        ],
        'required' => ['city'],
        '$defs' => ['place' => [
            'type' => 'object', 'properties' => ['lat' => ['type' => 'number']], 'required' => ['lat'],
        ]],
    ];

    /** @dataProvider texts */
    public function testACommandIsToldFromTextThatBeginsWithASlash(string $text, ?string $name, string $rest = ''): void
    {
        $command = Detector::detect($text);
        self::assertSame([$name, $rest], [$command?->name(), $command->arguments ?? '']);
    }

    /** @return iterable<string, array{0: string, 1: string|null, 2?: string}> */
    public static function texts(): iterable
    {
        yield 'nothing' => ['', null];
        yield 'a slash' => ['/', null];
        yield 'a blank after it' => ['/ foo', null];
        yield 'two slashes' => ['//x', null];
        yield 'a path' => ['/usr/bin is a path', null];
        yield 'a blank before it' => [' /x', null];
        yield 'words before it' => ['Try /find_partner', null];
        yield 'a comma' => ['/find_partner, please', null];
        yield 'a colon' => ['/note: x', null];
        yield 'another blank' => ["/x\u{a0}y", null];
        yield 'another letter' => ['/é', null];
        yield 'a NUL' => ["/x\0", null];
        yield 'a long name' => ['/' . str_repeat('x', 65), null];
        yield 'a second line' => ["/find_partner city=Graz\nand then write to them", null];
        yield 'a second line with an apostrophe' => ["/find_partner don't\ndo that", null];
        yield 'a second line after a quote' => ["/find_partner city=\"Graz\"\nmore", null];
        yield 'a name' => ['/find_partner', 'find_partner'];
        yield 'white space behind it' => ["/find_partner \r\n", 'find_partner'];
        yield 'arguments' => ['/find_partner city=Graz', 'find_partner', 'city=Graz'];
        yield 'a tab' => ["/find-Partner2\tcity=Graz", 'find-Partner2', 'city=Graz'];
        yield 'JSON over lines' => ["/find_it\n{\"city\":\r\n\"Graz\"}", 'find_it', "{\"city\":\n\"Graz\"}"];
        yield 'quotes over lines' => ["/note text=\"a\nb\\\"\nc\"", 'note', "text=\"a\nb\\\"\nc\""];
        yield 'a server' => ['/mcp crm.search {"q": "Murtal"}', 'crm.search', '{"q": "Murtal"}'];
        yield 'a tool with dots' => ['/mcp crm.v2.search', 'crm.v2.search'];
        yield 'no server' => ['/mcp', '.'];
        yield 'no tool' => ['/mcp crm {}', '.', 'crm {}'];
        yield 'text about it' => ["/mcp is great\nisn't it?", null];
    }

    /** @dataProvider inputs */
    public function testArgumentsAreReadByTheSchema(string $arguments, string $input): void
    {
        $read = (string) json_encode(Arguments::parse($arguments, self::SCHEMA));
        self::assertJsonStringEqualsJsonString($input, $read);
    }

    /** @return iterable<array{string, string}> */
    public static function inputs(): iterable
    {
        yield ['city=Graz', '{"city":"Graz"}'];
        yield ['city=Graz limit=3 open=true', '{"city":"Graz","limit":3,"open":true}'];
        yield ['city="Bad Ischl"', '{"city":"Bad Ischl"}'];
        yield ['city="a\\"b\\n\\\\"', '{"city":"a\\"b\\n\\\\"}'];
        yield ["city='x \"y\"'", '{"city":"x \\"y\\""}'];
        yield ['city=12', '{"city":"12"}'];
        yield ['city=a=b', '{"city":"a=b"}'];
        yield ['city=[x', '{"city":"[x"}'];
        yield ['city=a tags=b tags="c d"', '{"city":"a","tags":["b","c d"]}'];
        yield ['city=a tags=["b c","]"] near={"lat": 4}', '{"city":"a","tags":["b c","]"],"near":{"lat":4}}'];
        yield ['city=a price=null', '{"city":"a","price":null}'];
        yield ['city=a price=1.5 id=7', '{"city":"a","price":1.5,"id":7}'];
        yield ['city=a id="x-7" sort=name', '{"city":"a","id":"x-7","sort":"name"}'];
        yield ['{"city": "Graz", "near": {"lat": 1}}', '{"city":"Graz","near":{"lat":1}}'];
    }

    /** @dataProvider faults */
    public function testAWrongArgumentIsNamed(string $arguments, string $message, string $pointer): void
    {
        try {
            Arguments::parse($arguments, self::SCHEMA);
            self::fail('It was taken.');
        } catch (InvalidCommandException $error) {
            self::assertSame([$message, $pointer], [$error->getMessage(), $error->pointer]);
        }
    }

    /** @return iterable<array{string, string, string}> */
    public static function faults(): iterable
    {
        yield ['', 'The argument "city" is missing.', '/city'];
        yield ['{}', 'The argument "city" is missing.', '/city'];
        yield ['citty=Graz', 'There is no argument "citty". Did you mean "city"?', '/citty'];
        yield ['{"City": "Graz"}', 'There is no argument "City". Did you mean "city"?', '/City'];
        $known = 'city, limit, open, tags, sort, near, price, id';
        yield ['telephone=1', "There is no argument \"telephone\". Known: $known.", '/telephone'];
        yield ['Graz', '"Graz" names no argument. Write city=….', ''];
        yield ['city=Graz Wien', '"Wien" names no argument. Write city=….', ''];
        yield ['city=Graz city=Wien', 'The argument "city" is given twice.', '/city'];
        yield ['city="Graz', 'The quote of the argument "city" is not closed.', '/city'];
        yield ['city="Graz"x', 'After the value of the argument "city" a blank is missing.', '/city'];
        yield ['city=a limit=x', 'The argument "limit" must be a whole number, not "x".', '/limit'];
        yield ['city=a limit=1.5', 'The argument "limit" must be a whole number, not "1.5".', '/limit'];
        yield ['city=a limit=0', 'The argument "limit" must be at least 1.', '/limit'];
        yield ['city=a open=yes', 'The argument "open" must be true or false, not "yes".', '/open'];
        yield ['city=abcdefghijk', 'The argument "city" must have at most 10 characters.', '/city'];
        $one = 'The argument "sort" must be one of "name", "city", not "nam". Did you mean "name"?';
        yield ['city=a sort=nam', $one, '/sort'];
        yield ['city=a near={}', 'The argument "near.lat" is missing.', '/near/lat'];
        yield ['city=a near={"lat": 1', 'The brackets of the argument "near" are not closed.', '/near'];
        yield ['city=a id=y-7', 'The argument "id" has no form that is allowed.', '/id'];
        yield ['{"city": }', 'The arguments are no JSON object (syntax error). Write {"city": …} or city=….', ''];
        yield ['{"city": 7}', 'The argument "city" must be a text, not 7.', '/city'];
        $infinite = 'JSON cannot express the argument "price": inf and NaN cannot be JSON encoded.';
        yield ['city=a price=1e999', $infinite, '/price'];
        yield ['{"city": "a", "price": -1e999}', $infinite, '/price'];
        yield ["city=\"\xff\"", 'The arguments are not valid UTF-8.', ''];
        $deep = 'JSON cannot express the argument "city": maximum stack depth exceeded.';
        yield ['{"city": ' . str_repeat('[', 505) . str_repeat(']', 505) . '}', $deep, '/city'];
        yield ['{"city": "a", "tags": ["b", 7]}', 'The argument "tags.1" must be a text, not 7.', '/tags/1'];
    }

    public function testALongValueIsReadWhole(): void
    {
        $long = str_repeat('x\\\\y', 30_000);
        self::assertSame(90_000, strlen(Arguments::parse("q=\"$long\"", [])->q));
        self::assertNotNull(Detector::detect("/note q=\"$long\n\""));
    }

    /** @dataProvider odd */
    public function testWhatTheSchemaSaysOfValuesHoldsToTheLetter(array $schema, string $arguments, ?string $told): void
    {
        try {
            Arguments::parse($arguments, ['type' => 'object'] + $schema);
            $found = null;
        } catch (InvalidCommandException $error) {
            $found = $error->getMessage();
        }
        self::assertSame($told, $found);
    }

    /** @return iterable<string, array{array<string, mixed>, string, string|null}> */
    public static function odd(): iterable
    {
        $of = static fn (array $schema): array => ['properties' => ['x' => $schema]];
        $one = 'The argument "x" must be one of 1, 2';
        yield 'a part of an allowed number' => [$of(['enum' => [1, 2]]), 'x=1.5', "$one, not 1.5."];
        yield 'an allowed number' => [$of(['enum' => [1, 2]]), '{"x": 2.0}', null];
        yield 'a line end after what fits' => [
            $of(['type' => 'string', 'pattern' => '^[a-z]+$']), '{"x": "ab\\n"}',
            'The argument "x" must match ^[a-z]+$, not "ab\\n".',
        ];
        yield 'texts that are one number' => [$of(['type' => 'array', 'uniqueItems' => true]), 'x=["1","01"]', null];
        yield 'the same text twice' => [
            $of(['type' => 'array', 'uniqueItems' => true]), 'x=["1","1"]',
            'The argument "x" must have no item twice.',
        ];
        $patterns = ['patternProperties' => ['^n_' => ['type' => 'integer']], 'additionalProperties' => false];
        yield 'a name that fits a pattern' => [$patterns, '{"n_a": 1}', null];
        yield 'a value that does not' => [
            $patterns, '{"n_a": "y"}', 'The argument "n_a" must be a whole number, not "y".',
        ];
        yield 'a name that fits none' => [$patterns, '{"m": 1}', 'There is no argument "m". The tool takes none.'];
    }

    public function testWithoutASchemaAValueIsWhatItLooksLike(): void
    {
        $input = Arguments::parse('q=Murtal n=3 on=true s="3" l=[1,2] o={"a": {}}', []);
        $read = '{"q":"Murtal","n":3,"on":true,"s":"3","l":[1,2],"o":{"a":{}}}';
        self::assertSame($read, json_encode($input));
    }

    public function testAToolThatTakesNothingTakesNothing(): void
    {
        $this->expectExceptionMessage('There is no argument "x". The tool takes none.');
        Arguments::parse('x=1', ['type' => 'object', 'additionalProperties' => false]);
    }
}

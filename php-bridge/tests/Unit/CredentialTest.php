<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Unit;

use AgentWorkers\Batch\ProcessBatchRunner;
use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Exception\LogicException;
use AgentWorkers\Request;
use AgentWorkers\Testing\FakeRunner;
use PHPUnit\Framework\TestCase;

final class CredentialTest extends TestCase
{
    private const KEY = 'sk-ant-api03-of-a-user';

    public function testItStaysWithTheRequestWhateverIsSetAfterIt(): void
    {
        $request = Request::prompt('Hi')->credential(self::KEY . "\n")->model('opus')->run('r')->limits(timeoutS: 9)
            ->appTool('t', 'A tool.', ['type' => 'object'], static fn (): string => 'x')
            ->resumedBy('agent', 'abc');

        self::assertSame(self::KEY, $request->ownCredential());
        self::assertTrue($request->hasCredential());
        self::assertNull($request->withoutCredential()->ownCredential());
        self::assertTrue($request->withoutCredential()->hasCredential());
        self::assertSame('other', $request->credential('other')->ownCredential());
        self::assertFalse(Request::prompt('Hi')->hasCredential());
    }

    public function testNothingThatIsWrittenOfTheRequestHasIt(): void
    {
        $request = Request::prompt('Hi')->credential(self::KEY);
        ob_start();
        var_dump($request);
        $written = ob_get_clean() . print_r($request, true) . var_export($request, true) . $request->toJson()
            . json_encode($request) . print_r((array) $request, true) . print_r($request->toArray(), true);

        self::assertStringContainsString('Hi', $written);
        self::assertStringNotContainsString(self::KEY, $written);
    }

    public function testARequestThatHasOneIsNotSerialized(): void
    {
        $request = Request::prompt('Hi')->credential(self::KEY);
        $kept = unserialize(serialize($request->withoutCredential()));
        self::assertSame(['Hi', null], [$kept->get('prompt'), $kept->ownCredential()]);

        $this->expectException(LogicException::class);
        $this->expectExceptionMessage('credential() cannot be serialized');
        serialize($request);
    }

    public function testARequestOfAnOlderVersionIsReadAsOneWithout(): void
    {
        $old = str_replace(
            [':3:{', 's:32:"' . "\0" . Request::class . "\0" . 'credential";N;'],
            [':2:{', ''],
            serialize(Request::prompt('Hi')),
        );
        self::assertStringNotContainsString('credential', $old);
        $request = unserialize($old);

        self::assertFalse($request->hasCredential());
        self::assertSame('opus', $request->model('opus')->get('model'));
    }

    /** @dataProvider none */
    public function testWhatIsNoKeyIsRefused(string $key): void
    {
        $this->expectException(InvalidArgumentException::class);
        Request::prompt('Hi')->credential($key);
    }

    /** @return array<string, array{string}> */
    public static function none(): array
    {
        return ['empty' => [''], 'blank' => [" \n"], 'two lines' => ["a\nb"]];
    }

    public function testABatchHasNoPlaceForIt(): void
    {
        $this->expectException(LogicException::class);
        $this->expectExceptionMessage('credential()');
        $runner = new ProcessBatchRunner(PHP_BINARY, ['-r', 'sleep(9);']);
        iterator_to_array($runner->batch([Request::prompt('Hi')->credential(self::KEY)]));
    }

    public function testAFakeKnowsThatThereWasOneAndNoMore(): void
    {
        $fake = new FakeRunner(static fn (Request $request): string => (string) $request->ownCredential() . '.');
        self::assertSame('.', $fake->run(Request::prompt('Hi')->credential(self::KEY))->text);
        $fake->assertRan(static fn (Request $request): bool => $request->hasCredential());
        self::assertStringNotContainsString(self::KEY, print_r($fake, true));
    }
}

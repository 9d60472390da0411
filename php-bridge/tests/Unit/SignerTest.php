<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Unit;

use AgentWorkers\Decision;
use AgentWorkers\Event\EventFactory;
use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Shown;
use AgentWorkers\Signer;
use PHPUnit\Framework\TestCase;

final class SignerTest extends TestCase
{
    private const PYTHONS = __DIR__ . '/../../../tests/proof/signed.json';

    public function testItSignsAsTheWorkersToolReadsIt(): void
    {
        $told = json_decode((string) file_get_contents(self::PYTHONS), true, 512, JSON_THROW_ON_ERROR);
        [$signer, $time] = [new Signer($told['key']), $told['time']];
        $shown = Shown::of(EventFactory::fromJson($told['permission']));
        $asked = Shown::of(EventFactory::fromJson($told['question']));
        $changed = Decision::allow($told['updated_input'])->by("J\u{fc}rgen \"J\"\n");
        self::assertSame($told['signed'], [
            'allow' => $signer->decision($shown, Decision::allow()->by('17'), $time),
            'deny' => $signer->decision($shown, Decision::deny('No.'), $time),
            'changed' => $signer->decision($shown, $changed, $time),
            'answers' => $signer->answers($asked, $told['answers'], '17', $time),
        ]);
        self::assertEquals($shown, Shown::fromArray($shown->toArray()));
    }

    public function testTheOrderOfAnswersDoesNotMatterAndTheirTextDoes(): void
    {
        $signer = new Signer(str_repeat('k', 32));
        $shown = Shown::of(EventFactory::compose('r', 2, 'question', ['question_id' => 'q']));
        $sign = static fn (array $answers): string => $signer->answers($shown, $answers, null, 1);
        self::assertSame($sign(['a' => 'x', 'b' => 'y']), $sign(['b' => 'y', 'a' => 'x']));
        self::assertNotSame($sign(['a' => 'x']), $sign(['a' => 'y']));
        self::assertNotSame($sign(['a' => ['x', 'y']]), $sign(['a' => ['y', 'x']]));
        self::assertLessThanOrEqual(512, strlen($sign(['a' => 'x'])));
    }

    /** @dataProvider noKeys */
    public function testAKeyThatIsTooShortIsRefusedAndNotTold(string $key): void
    {
        try {
            new Signer($key);
            self::fail('It was taken.');
        } catch (InvalidArgumentException $error) {
            self::assertStringContainsString('openssl rand', $error->getMessage());
            $key === '' || self::assertStringNotContainsString($key, $error->getMessage());
        }
    }

    /** @return list<array{string}> */
    public static function noKeys(): array
    {
        return [[''], ['secret-word'], ['base64:c2hvcnQ='], ['base64:not base64, but long enough to be one of these']];
    }

    public function testADecisionBearsItsSignatureForTheActorThatItWasMadeFor(): void
    {
        $signed = Decision::deny('No.')->by('7')->signed('v1=x');
        self::assertSame('v1=x', $signed->fields()['signature']);
        self::assertSame('v1=x', $signed->by('7')->fields()['signature']);
        self::assertArrayNotHasKey('signature', $signed->by('8')->fields());
        $this->expectException(InvalidArgumentException::class);
        $signed->signed(str_repeat('x', 513));
    }
}

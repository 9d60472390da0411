<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Worker;

use AgentWorkers\Exception\RunFailedException;
use AgentWorkers\Tests\Workers;
use PHPUnit\Framework\TestCase;

final class CredentialTest extends TestCase
{
    use Workers;

    private const KEY = 'sk-ant-api03-of-a-user';

    public function testTheWorkerGetsTheKeyBeforeTheRequestAndNowhereElse(): void
    {
        $run = $this->fixture('keyed')->stream(self::request()->credential(self::KEY));
        $seen = json_decode($run->wait()->text, true);

        self::assertSame(sha1(self::KEY), $seen['key']);
        self::assertSame('Hello', $seen['request']['prompt']);
        self::assertContains('--credential-fd=0', $seen['argv']);
        self::assertContains('--control', $seen['argv']);
        self::assertStringNotContainsString(self::KEY, json_encode($seen));
        self::assertTrue($run->request->hasCredential());
        self::assertFalse(str_contains(print_r($run, true) . serialize($run->request), self::KEY));
    }

    public function testARealWorkerTakesIt(): void
    {
        $runner = $this->agentChat('hello');

        self::assertStringContainsString('Hello', $runner->run(self::request()->credential(self::KEY))->text);
    }

    public function testAKeyThatIsNoneIsRefusedByTheWorkerWithoutRepeatingIt(): void
    {
        try {
            $this->agentChat('hello')->run(self::request()->credential('two words'));
            self::fail();
        } catch (RunFailedException $refusal) {
            self::assertSame('invalid_request', $refusal->event->code);
            self::assertStringContainsString('--credential-fd', $refusal->getMessage());
            self::assertStringNotContainsString('two words', $refusal->getMessage());
        }
    }

    public function testWithoutAKeyNothingIsSaidOfOne(): void
    {
        $run = $this->fixture('echo')->stream(self::request());
        self::assertFalse($run->request->hasCredential());
        self::assertNull($run->request->ownCredential());
        $run->wait();
    }
}

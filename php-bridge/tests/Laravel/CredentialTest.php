<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Exception\LogicException;
use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Request;
use Illuminate\Support\Facades\Bus;

final class CredentialTest extends TestCase
{
    private const KEY = 'sk-ant-api03-of-a-user';
    private const ID = '8b8c3f0e-6a51-4a3e-9a55-0f0f6f1c2d3e';

    public function testARunHasTheKeyOfItsUserAlsoInAConversation(): void
    {
        $fake = Agent::fake('One', 'Two', 'Three');
        Agent::chat('Hello')->credential(self::KEY)->run();
        Agent::chat('Hello')->owner('ada')->conversation(self::ID)->credential(self::KEY)->run();
        Agent::chat('Hello')->run();

        $had = array_map(static fn (Request $request): bool => $request->hasCredential(), $fake->requests());
        self::assertSame([true, true, false], $had);
        self::assertFalse(str_contains(print_r($fake->requests(), true), self::KEY));
    }

    public function testWhatIsWrittenOfAPendingRunDoesNotHaveIt(): void
    {
        Agent::fake();
        $pending = Agent::chat('Hello')->credential(self::KEY);

        self::assertSame(self::KEY, $pending->request()->ownCredential());
        self::assertFalse(str_contains(print_r($pending->request(), true), self::KEY));
        self::assertFalse(str_contains(json_encode($pending->request()), self::KEY));
    }

    public function testARunWithAKeyIsNotQueued(): void
    {
        Agent::fake();
        Bus::fake();
        try {
            Agent::chat('Hello')->credential(self::KEY)->dispatch();
            self::fail();
        } catch (LogicException $refusal) {
            self::assertStringContainsString('job of your own', $refusal->getMessage());
            self::assertStringNotContainsString(self::KEY, (string) $refusal);
        }
        Bus::assertNothingDispatched();
    }

    public function testARunWithAKeyIsNoneOfABatch(): void
    {
        Agent::fake();
        $this->expectException(LogicException::class);
        $this->expectExceptionMessage('credential()');
        Agent::batch([Agent::chat('Hello')->credential(self::KEY)])->all();
    }
}

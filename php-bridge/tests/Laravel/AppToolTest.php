<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Exception\LogicException;
use AgentWorkers\Exception\ToolException;
use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\Queue\RunAgent;
use AgentWorkers\ProcessRunner;
use AgentWorkers\Request;
use AgentWorkers\Testing\Script;
use Illuminate\Auth\Access\AuthorizationException;
use Illuminate\Contracts\Config\Repository;
use Illuminate\Contracts\Debug\ExceptionHandler;
use Illuminate\Contracts\Queue\Job;
use Illuminate\Support\Facades\Bus;
use InvalidArgumentException;
use Mockery;

final class AppToolTest extends TestCase
{
    private const ANY = ['type' => 'object'];

    protected function setUp(): void
    {
        parent::setUp();
        config(['app.city' => 'Rome']);
        FindPartner::$made = 0;
    }

    public function testAClosureGetsTheInputAndWhatItAsksTheContainerFor(): void
    {
        Agent::tool('shout', 'Shouts.', self::ANY, static fn (array $said, Repository $config): string
            => strtoupper($said['text'] . ' from ' . $config->get('app.city')));
        $fake = Agent::fake(Script::text('Done.')->callingTool('shout', ['text' => 'Hi']));
        self::assertSame('Done.', Agent::chat('Hello')->appTools('shout')->text());
        $fake->assertToolAnswered('shout', 'HI FROM ROME');
    }

    public function testAClosureMayDoWithoutItsInput(): void
    {
        Agent::tool('city', 'The city.', self::ANY, static fn (): string => 'Rome');
        $fake = Agent::fake(Script::text('Done.')->callingTool('city', ['x' => 1]));
        Agent::chat('Hello')->appTools('city')->run();
        $fake->assertToolAnswered('city', 'Rome');
    }

    public function testAClassIsMadeByTheContainerForEachCall(): void
    {
        Agent::tool(FindPartner::class);
        self::assertSame(0, FindPartner::$made);
        $call = Script::text('Done.')->callingTool('find_partner', ['name' => 'Acme']);
        $fake = Agent::fake($call->callingTool('find_partner', ['name' => 'Zeta']));
        $run = Agent::chat('Hello')->appTools(FindPartner::class)->events();
        $described = FindPartner::$made;
        $run->wait();
        self::assertSame(2, FindPartner::$made - $described);
        $fake->assertToolAnswered('find_partner', 'Acme is in Rome');
        $fake->assertToolAnswered('find_partner', 'Zeta is in Rome');
    }

    public function testAClassIsKnownByItsNameToo(): void
    {
        Agent::tool(FindPartner::class, timeoutS: 5.0);
        $fake = Agent::fake(Script::text('Done.')->callingTool('find_partner', ['name' => 'Acme']));
        Agent::chat('Hello')->appTools('find_partner')->run();
        $fake->assertToolAnswered('find_partner', 'Acme is in Rome');
        [$tool] = $fake->requests()[0]->get('app_tools');
        self::assertSame(['find_partner', 'Finds a partner by name.', 5.0], [
            $tool['name'], $tool['description'], $tool['timeout_s'],
        ]);
    }

    public function testARunThatDoesNotNameAToolIsNotOfferedIt(): void
    {
        Agent::tool('one', 'One.', self::ANY, static fn (): int => 1);
        Agent::tool('two', 'Two.', self::ANY, static fn (): int => 2);
        $fake = Agent::fake('a', 'b');
        Agent::chat('Hello')->run();
        Agent::chat('Hello')->appTools('two', 'two')->run();
        self::assertNull($fake->requests()[0]->get('app_tools'));
        self::assertSame(['two'], array_column($fake->requests()[1]->get('app_tools'), 'name'));
    }

    public function testTheConfigurationNamesToolsForTheRoutesOfABrowser(): void
    {
        config(['agent-workers.workers.chat.app_tools' => ['find_partner']]);
        Agent::tool(FindPartner::class);
        $fake = Agent::fake(Script::text('Done.')->callingTool('find_partner', ['name' => 'Acme']));
        $events = $this->eventsOf($this->ask(['prompt' => 'Hello'])->assertOk());
        self::assertContains('app_tool_call', array_column($events, 'type'));
        $fake->assertToolAnswered('find_partner', 'Acme is in Rome');
    }

    public function testWhatAToolThrowsIsReportedAsAnythingElseAndNotToldToTheModel(): void
    {
        $handler = Mockery::mock($this->app->make(ExceptionHandler::class))->makePartial();
        $handler->shouldReceive('report')->once()->withArgs(static fn (\Throwable $error): bool
            => $error->getMessage() === 'geheim');
        $this->app->instance(ExceptionHandler::class, $handler);
        Agent::tool('t', 'T.', self::ANY, static fn (): mixed => throw new \DomainException('geheim'));
        $fake = Agent::fake(Script::text('Done.')->callingTool('t'));
        Agent::chat('Hello')->appTools('t')->run();
        $fake->assertToolFailed('t', 'The tool failed.');
    }

    /** @dataProvider unreported */
    public function testWhatIsNotReportedStillFailsTheTool(\Throwable $error, string $told): void
    {
        Agent::tool('t', 'T.', self::ANY, static fn (): mixed => throw $error);
        $fake = Agent::fake(Script::text('Done.')->callingTool('t'));
        Agent::chat('Hello')->appTools('t')->run();
        $fake->assertToolFailed('t', $told);
    }

    /** @return iterable<string, array{\Throwable, string}> */
    public static function unreported(): iterable
    {
        yield 'what Laravel does not report' => [new AuthorizationException('geheim'), 'The tool failed.'];
        yield 'what is meant for the model' => [new ToolException('Name a city.'), 'Name a city.'];
    }

    public function testAnUnknownToolIsRefusedBeforeTheRun(): void
    {
        $fake = Agent::fake();
        try {
            Agent::chat('Hello')->appTools('missing')->run();
            self::fail('The run was started.');
        } catch (InvalidArgumentException $error) {
            $advice = 'There is no tool missing. Register it with Agent::tool() in a service provider.';
            self::assertSame($advice, $error->getMessage());
        }
        $fake->assertNothingRan();
    }

    public function testHalfAToolIsRefused(): void
    {
        $this->expectException(InvalidArgumentException::class);
        Agent::tool('t', 'T.', self::ANY);
    }

    public function testWhatAProviderRegisteredOutlivesAJob(): void
    {
        Agent::tool('t', 'T.', self::ANY, static fn (): string => 'still there');
        $seen = [];
        Agent::configureRunner(static function (ProcessRunner $runner, string $worker) use (&$seen): ProcessRunner {
            $seen[] = $worker;

            return $runner;
        });
        $this->app->forgetScopedInstances();
        Agent::clearResolvedInstances();
        Agent::runner('task');
        $fake = Agent::fake(Script::text('Done.')->callingTool('t'));
        Agent::chat('Hello')->appTools('t')->run();
        $fake->assertToolAnswered('t', 'still there');
        self::assertSame(['task'], $seen);
    }

    public function testAQueuedRunKnowsItsToolsByName(): void
    {
        Bus::fake();
        Agent::tool(FindPartner::class);
        Agent::chat('Hello')->appTools('find_partner')->dispatch();
        $queued = null;
        Bus::assertDispatched(static function (RunAgent $job) use (&$queued): bool {
            $queued = unserialize(serialize($job));

            return !isset($job->request['app_tools']);
        });
        $fake = Agent::fake(Script::text('Done.')->callingTool('find_partner', ['name' => 'Acme']));
        $queued->setJob(Mockery::spy(Job::class));
        $this->app->call([$queued, 'handle']);
        $fake->assertToolAnswered('find_partner', 'Acme is in Rome');
    }

    public function testClosuresAreNotQueued(): void
    {
        $tool = Agent::chat('Hello')->configure(static fn (Request $request): Request
            => $request->appTool('t', 'T.', self::ANY, static fn (): string => 'x'));
        foreach ([$tool, Agent::task('Hello', '/')->onPermission(static fn (): bool => true)] as $run) {
            try {
                $run->dispatch();
                self::fail('It was queued.');
            } catch (LogicException $error) {
                self::assertStringStartsWith('A queued run', $error->getMessage());
            }
        }
    }
}

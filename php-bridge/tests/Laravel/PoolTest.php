<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\PoolRunner;
use AgentWorkers\ProcessRunner;
use AgentWorkers\Tests\Pools;
use AgentWorkers\Tests\Scenarios;
use AgentWorkers\Testing\Script;
use Illuminate\Foundation\Application;
use Illuminate\Support\Facades\Artisan;

final class PoolTest extends TestCase
{
    use Pools;
    use Scenarios;

    protected function configure(Application $app): void
    {
        parent::configure($app);
        $programs = array_combine(
            $names = ['agent-chat', 'agent-task', 'agent-skill', 'agent-tool', 'agent-batch', 'agent-workers'],
            array_map($this->program(...), $names),
        );
        $app->make('config')->set(['agent-workers.binaries' => $programs, 'agent-workers.pool' => $this->socket()]);
    }

    public function testAChatIsRunByThePool(): void
    {
        $this->startPool('answers');

        self::assertSame('Hello!', Agent::chat('Hello')->text());
        self::assertSame('warm', iterator_to_array(Agent::chat('Hello')->events())[0]->warm);
        $first = ['pool' => 1, 'worker' => 'agent-chat', 'control' => true];
        self::assertSame([$first, $first], $this->told('first'));
    }

    public function testATaskASkillAndAStreamAreRunByItToo(): void
    {
        $this->startPool('answers');
        config(['agent-workers.pool_name' => 'usual', 'agent-workers.workers.task.pool_name' => 'large']);
        Agent::task('Look around.', '/srv/work')->run();
        Agent::skill('partner-health', ['partner' => []])->run();
        $events = $this->eventsOf($this->ask(['prompt' => 'Hello']));

        self::assertSame('done', end($events)['type']);
        self::assertSame(['agent-task', 'agent-skill', 'agent-chat'], array_column($this->told('first'), 'worker'));
        self::assertSame(['large', 'usual', 'usual'], array_column($this->told('first'), 'name'));
    }

    public function testTheProgramsOfThePackageAreNotTakenForOnesOwn(): void
    {
        $names = ['agent-chat', 'agent-workers'];
        config(['agent-workers.binaries' => array_combine($names, array_map($this->binary(...), $names))]);

        self::assertInstanceOf(PoolRunner::class, Agent::runner());
    }

    public function testAConversationTakesTheSessionOfTheAgentThatWasStartedAhead(): void
    {
        $this->startPool('converses');
        $conversation = 'e0a3c5f4-0f1e-4b7a-8d11-2f4f8f3d7a90';
        foreach (['My name is Ada.', 'Who am I?'] as $prompt) {
            Agent::chat($prompt)->conversation($conversation)->owner('ada')->run();
        }
        Agent::chat('And now?')->conversation($conversation)->owner('ada')->dispatch();

        self::assertSame([null, ['resume' => 's-1'], ['resume' => 's-1']], $this->told('session'));
    }

    public function testAConversationThatAProcessBeganGoesOnInThePool(): void
    {
        $conversation = 'e0a3c5f4-0f1e-4b7a-8d11-2f4f8f3d7a91';
        config(['agent-workers.pool' => null]);
        Agent::chat('My name is Ada.')->conversation($conversation)->owner('ada')->run();
        config(['agent-workers.pool' => $this->socket()]);
        $this->startPool('converses');
        Agent::chat('Who am I?')->conversation($conversation)->owner('ada')->run();

        self::assertSame([['resume' => $conversation]], $this->told('session'));
    }

    public function testWithoutASettingThereIsNoPool(): void
    {
        config(['agent-workers.pool' => null]);

        self::assertInstanceOf(ProcessRunner::class, Agent::runner());
    }

    public function testWhereNoPoolIsAWorkerIsStarted(): void
    {
        self::assertInstanceOf(PoolRunner::class, Agent::runner());
        self::assertSame('by agent-chat', Agent::chat('Hello')->text());
    }

    public function testWhatIsStartedHereHasNoPoolDoItsWork(): void
    {
        putenv("AGENT_WORKERS_POOL={$this->socket()}"); // as Laravel does with what is in .env
        try {
            $this->program('agent-chat', '; echo "${AGENT_WORKERS_POOL-none}" > "$0.pool"');
            Agent::chat('Hello')->run();
            self::assertSame("none\n", file_get_contents($this->directory() . '/agent-chat.pool'));
            unlink($this->directory() . '/agent-chat.pool');
            config(['agent-workers.pool' => null]);
            Agent::chat('Hello')->run();
            self::assertSame("none\n", file_get_contents($this->directory() . '/agent-chat.pool'));
        } finally {
            putenv('AGENT_WORKERS_POOL');
        }
    }

    /** @dataProvider ownThings */
    public function testAWorkerWithSomethingOfItsOwnIsStartedForEachRun(\Closure $own, string $why): void
    {
        $own($this->program('my-worker'), fn (string $name, string $more): string => $this->program($name, $more));

        self::assertInstanceOf(ProcessRunner::class, Agent::runner());
        Artisan::call('agent:doctor', ['--json' => true]);
        self::assertStringContainsString($why, json_encode(self::checks()['worker chat'], JSON_UNESCAPED_SLASHES));
    }

    /** @return iterable<string, array{\Closure, string}> */
    public static function ownThings(): iterable
    {
        yield 'a program' => [
            static fn (string $own) => config(['agent-workers.workers.chat.binary' => $own]),
            'the pool knows no program',
        ];
        yield 'a program by its name' => [
            static fn (string $own) => config(['agent-workers.binaries.agent-chat' => $own]),
            'my-worker is not as the package has it',
        ];
        yield 'a script with a policy' => [
            static fn (string $own, \Closure $program) => $program('agent-chat', ' --policy /etc/strict.toml'),
            'agent-chat is not as the package has it',
        ];
        yield 'an environment' => [
            static fn () => Agent::configureRunner(static fn (ProcessRunner $it) => $it->env(['A' => 'b'])),
            'configureRunner',
        ];
        yield 'a directory' => [
            static fn () => Agent::configureRunner(static fn (ProcessRunner $it) => $it->cwd('/')),
            'configureRunner',
        ];
        yield 'a closure' => [
            static fn () => Agent::configureRunner(static fn (ProcessRunner $it) => $it->configureProcess(
                static fn () => null,
            )),
            'configureRunner',
        ];
        yield 'a simulator' => [static fn () => config(['agent-workers.simulate' => 'slow']), 'simulate'];
        yield 'a setting' => [static fn () => config(['agent-workers.workers.chat.pool' => false]), 'is false'];
    }

    public function testWhatARunnerDoesWithItsRunsChangesNothing(): void
    {
        Agent::configureRunner(static fn (ProcessRunner $runner) => $runner->grace(1)->overtime(1));

        self::assertInstanceOf(PoolRunner::class, Agent::runner());
    }

    public function testWhereTheProgramsAreElsewhereThePoolIsAsked(): void
    {
        config(['agent-workers.binaries.agent-chat' => '/nonexistent/agent-chat']);

        self::assertInstanceOf(PoolRunner::class, Agent::runner());
    }

    public function testAFakeAsksNoPool(): void
    {
        Agent::fake(Script::text('Fake.'));

        self::assertSame('Fake.', Agent::chat('Hello')->text());
    }

    public function testDoctorTellsWhatThePoolSays(): void
    {
        $this->startPool('status');
        Artisan::call('agent:doctor', ['--json' => true]);
        $checks = self::checks();

        self::assertSame('ok', $checks['pool']['status']);
        self::assertStringContainsString('chat: agent-chat, 2 ready, 1 busy, 3 kept', $checks['pool']['found']);
        self::assertStringContainsString('where no pool answers', $checks['worker chat']['found']);
    }

    public function testDoctorTellsWhatThePoolIsToHaveAsTheWorkersHereHaveIt(): void
    {
        $common = ['policy' => '/etc/agents.toml', 'state_dir' => '/var/lib/agents'];
        $this->startPool('status', $common);
        config(['agent-workers.state_dir' => '/srv/app/state', 'agent-workers.env' => []]);
        Artisan::call('agent:doctor', ['--json' => true]);
        $check = self::checks()['pool'];

        self::assertSame('warn', $check['status']);
        self::assertStringContainsString('POLICY is /etc/agents.toml in the pool, and none here', $check['found']);
        self::assertStringContainsString('/var/lib/agents in the pool, and /srv/app/state here', $check['found']);
        $policy = ['AGENT_WORKERS_POLICY' => $common['policy']];
        config(['agent-workers.state_dir' => $common['state_dir'], 'agent-workers.env' => $policy]);
        Artisan::call('agent:doctor', ['--json' => true]);
        self::assertSame('ok', self::checks()['pool']['status']);
    }

    public function testDoctorTellsWhatItCostsThatNoPoolAnswers(): void
    {
        Artisan::call('agent:doctor', ['--json' => true]);
        $check = self::checks()['pool'];

        self::assertSame('warn', $check['status']);
        self::assertStringContainsString('No such file or directory', $check['found']);
        self::assertStringContainsString('Each run starts a worker', $check['cure']);
    }

    public function testDoctorTellsWhatThePoolRefuses(): void
    {
        $this->startPool('refuses');
        Artisan::call('agent:doctor', ['--json' => true]);

        self::assertStringContainsString('may not use the pool', self::checks()['pool']['found']);
    }

    /** A worker, and the same program by other names; as agent-workers it examines. */
    private function program(string $name, string $more = ''): string
    {
        $script = <<<'SH'
            #!/bin/sh
            :MORE
            case "$*" in *doctor*) echo '{"status": "ok", "checks": []}'; exit;; esac
            read -r request
            run=$(expr "$request" : '.*"run":"\([^"]*\)"')
            head='{"v":1,"ts":"t","run":"'$run'"'
            echo "$head"',"seq":1,"type":"start","worker":"x"}'
            echo "$head"',"seq":2,"type":"session","session_id":"x","model":"m","cli_version":"0","resumed":false}'
            echo "$head"',"seq":3,"type":"delta","block":1,"text":"by '$(basename "$0")'"}'
            echo "$head"',"seq":4,"type":"done","stop_reason":"end_turn","text":"by '$(basename "$0")'","usage":{}}'

            SH;
        $path = $this->directory() . "/$name";
        file_put_contents($path, str_replace('MORE', $more, $script));
        chmod($path, 0700);

        return $path;
    }

    /** @return array<string, array<string, mixed>> what agent:doctor has found for this user, by its names */
    private static function checks(): array
    {
        $reports = json_decode(Artisan::output(), true, 512, JSON_THROW_ON_ERROR);

        return array_column(reset($reports)['checks'], null, 'check');
    }
}

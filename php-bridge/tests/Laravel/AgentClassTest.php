<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Exception\InvalidAgentException;
use AgentWorkers\Laravel\AgentDefinition;
use AgentWorkers\Laravel\Attributes\Toolbox;
use AgentWorkers\Laravel\Events\RunEnded;
use AgentWorkers\Laravel\Events\RunEvent;
use AgentWorkers\Laravel\Events\ToolFinished;
use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\Http\ChatRequest;
use AgentWorkers\Laravel\PendingRun;
use AgentWorkers\Testing\Script;
use AgentWorkers\Tests\Scenarios;
use Illuminate\Support\Facades\Event as Events;
use Illuminate\Support\Facades\Route;

/** A class for each agent of the application: its attributes, its instructions, its mistakes. */
final class AgentClassTest extends TestCase
{
    use Scenarios;

    protected function setUp(): void
    {
        parent::setUp();
        config(['app.city' => 'Rome', 'agent-workers.workers.chat.model' => 'claude-usual']);
    }

    public function testItsAttributesAndInstructionsSayHowItRuns(): void
    {
        $fake = Agent::fake(Script::text('Acme is in Rome.')->callingTool('find_partner', ['name' => 'Acme']));
        $class = self::agent(
            "#[Worker('chat')] #[Model('claude-test')] #[Engine('messages')] #[Timeout(60)]"
            . "#[Limits(idleTimeoutS: 20, maxBudgetUsd: 0.5, maxTurns: 3, maxTokens: 900)]"
            . '#[Tools(FindPartner::class)]',
            "public function instructions(): string { return 'Answer in one sentence.'; }",
        );
        self::assertSame('Acme is in Rome.', Agent::of($class)->prompt('Where is Acme?')->text());
        $fake->assertRan('Where is Acme?', 'chat');
        $fake->assertToolAnswered('find_partner', 'Acme is in Rome');
        $asked = $fake->requests()[0]->toArray();
        self::assertEquals([
            'model' => 'claude-test', 'engine' => 'messages', 'max_turns' => 3, 'max_tokens' => 900,
            'system_prompt' => 'Answer in one sentence.',
        ], array_intersect_key($asked, array_flip(['model', 'engine', 'max_turns', 'max_tokens', 'system_prompt'])));
        self::assertEquals(
            ['timeout_s' => 60, 'idle_timeout_s' => 20, 'max_budget_usd' => 0.5],
            $asked['limits'],
        );
    }

    public function testWhatItDoesNotSayIsAsTheConfigurationHasIt(): void
    {
        $fake = Agent::fake('Hi');
        self::agent('')::make()->prompt('Hello')->run();
        $fake->assertRan('Hello', 'chat');
        self::assertSame('claude-usual', $fake->requests()[0]->get('model'));
        self::assertNull($fake->requests()[0]->get('system_prompt'));
    }

    public function testARunMayStillBeChanged(): void
    {
        $fake = Agent::fake('Hi');
        self::agent("#[Model('claude-test')]")::make()->prompt('Hello')->model('claude-other')->run();
        self::assertSame('claude-other', $fake->requests()[0]->get('model'));
    }

    public function testInstructionsComeBeforeTheAttributeAndAClassBeforeItsParents(): void
    {
        $fake = Agent::fake('a', 'b', 'c');
        $parent = self::agent("#[SystemPrompt('Plain.')] #[Model('claude-old')]");
        $child = self::agent("#[Model('claude-new')]", parent: $parent);
        $other = self::agent('', "public function instructions(): string { return 'Made.'; }", $parent);
        foreach ([$parent, $child, $other] as $class) {
            $class::make()->prompt('Hello')->run();
        }
        self::assertSame(
            [['Plain.', 'claude-old'], ['Plain.', 'claude-new'], ['Made.', 'claude-old']],
            array_map(static fn ($it): array => [$it->get('system_prompt'), $it->get('model')], $fake->requests()),
        );
    }

    public function testItIsMadeByTheContainerWithWhatItIsGiven(): void
    {
        $fake = Agent::fake('a', 'b', 'c');
        $class = self::agent('', 'public function __construct(private string $deal, private Repository $config) {}'
            . 'public function instructions(): string { return "$this->deal, {$this->config->get(\'app.city\')}"; }');
        Agent::of($class, 'D-1')->prompt('Hello')->run();
        Agent::of($class, deal: 'D-2')->prompt('Hello')->run();
        $class::make('D-3')->prompt('Hello')->run();
        self::assertSame(['D-1, Rome', 'D-2, Rome', 'D-3, Rome'], array_map(
            static fn ($request): string => $request->get('system_prompt'),
            $fake->requests(),
        ));
        $this->expectException(InvalidAgentException::class);
        $this->expectExceptionMessage("$class: make() gets more arguments than the constructor takes.");
        $class::make('D-1', config(), 'too much');
    }

    public function testItStreamsFromAControllerAndIsQueued(): void
    {
        $fake = Agent::fake('Streamed', 'Queued');
        $class = self::agent("#[Timeout(9)] #[Tools(FindPartner::class)]");
        Route::post('/deal', fn (ChatRequest $request): PendingRun => Agent::of($class)->prompt($request));
        $answer = $this->post('/deal', ['prompt' => 'Hello'])->assertOk()->streamedContent();
        self::assertStringContainsString('"text":"Streamed"', $answer);
        Agent::of($class)->prompt('Later')->dispatch();
        $fake->assertRan('Later', 'chat');
        foreach ($fake->requests() as $request) {
            self::assertSame(['find_partner'], array_column($request->get('app_tools'), 'name'));
            self::assertEquals(9, $request->get('limits')['timeout_s']);
        }
    }

    public function testATaskHasToolsOfItsOwnAndOfTheApplication(): void
    {
        Agent::tool('city', 'The city.', ['type' => 'object'], static fn (): string => 'Rome');
        $fake = Agent::fake('Done.');
        $class = self::agent(
            "#[Worker('task')] #[Tools('Read', 'city', 'mcp__crm__find', 'Brandnewtool')]",
            'protected function configure(PendingRun $run): PendingRun { return $run->configure('
            . "fn (Request \$request): Request => \$request->cwd('/srv/deals')); }",
        );
        Agent::of($class)->prompt('Tidy up.')->run();
        $fake->assertRan('Tidy up.', 'task');
        $request = $fake->requests()[0];
        self::assertSame(['Read', 'mcp__crm__find', 'Brandnewtool'], $request->get('tools'));
        self::assertSame(['city'], array_column($request->get('app_tools'), 'name'));
        self::assertSame('/srv/deals', $request->get('cwd'));
    }

    /** @dataProvider engines */
    public function testTheRealWorkerTakesWhatAClassSays(string $engine): void
    {
        config([
            'agent-workers.binaries.agent-chat' => $this->binary('agent-chat'),
            'agent-workers.simulate' => $this->scenario(['mcp__app__find_partner', ['name' => 'Acme']]),
            'agent-workers.env' => ['HOME' => $this->directory()],
            'agent-workers.state_dir' => $this->directory(),
        ]);
        Events::listen([ToolFinished::class, RunEnded::class], static function (RunEvent $event) use (&$told): void {
            $told[] = $event;
        });
        $class = self::agent(
            "#[Model('claude-haiku-4-5')] #[Timeout(60)] #[Limits(idleTimeoutS: 50, maxBudgetUsd: 0.5, maxTurns: 5)]"
            . "#[Engine('$engine')] #[Tools(FindPartner::class)]",
            "public function instructions(): string { return 'Answer in one sentence.'; }",
        );
        $text = trim(Agent::of($class)->prompt('Where is Acme?')->subject('partner', 7)->text());
        self::assertSame('All done. Acme is in Rome', $text);
        [$finished, $ended] = $told;
        self::assertSame(['find_partner', 'ok', 'Acme is in Rome'], [
            $finished->tool, $finished->status, $finished->content,
        ]);
        self::assertSame(['done', '7', $finished->run], [$ended->status, $ended->subject['id'], $ended->run]);
        self::assertGreaterThan(0, $ended->usage->outputTokens);
    }

    /** @return array<string, array{string}> */
    public static function engines(): array
    {
        return ['an agent' => ['agent'], 'the plain API' => ['messages']];
    }

    public function testAnAttributeOfTheApplicationIsAppliedToo(): void
    {
        $fake = Agent::fake('Hi');
        class_exists('App\Agents\Goal') || eval('namespace App\Agents; #[\Attribute] final class Goal implements '
            . '\AgentWorkers\Laravel\Attributes\AgentAttribute { public function __construct(private string $goal) {} '
            . 'public function apply(\AgentWorkers\Laravel\PendingRun $run): \AgentWorkers\Laravel\PendingRun '
            . '{ return $run->goal($this->goal); } }');
        self::agent("#[Goal('Keep the partner.')] #[\\JetBrains\\PhpStorm\\Immutable]")::make()->prompt('Hello')->run();
        self::assertSame('Keep the partner.', $fake->requests()[0]->get('goal'));
    }

    /** @dataProvider mistakes */
    public function testAMistakeIsToldWithTheClassAndTheCure(string $attributes, string ...$words): void
    {
        $fake = Agent::fake();
        $class = self::agent($attributes);
        try {
            Agent::of($class)->prompt('Hello');
            self::fail('Nobody was told.');
        } catch (InvalidAgentException $told) {
            self::assertSame($class, $told->class);
            foreach (["$class: ", ...$words] as $word) {
                self::assertStringContainsString($word, $told->getMessage());
            }
        }
        $fake->assertNothingRan();
    }

    /** @return array<string, list<string>> */
    public static function mistakes(): array
    {
        $ours = 'AgentWorkers\Laravel\Attributes';
        class_exists(\AgentWorkers\Laravel\Attributes\Worker::class); // PHP finds a loaded class in any case

        return [
            'no such worker' => ["#[Worker('chatt')]", "#[Worker('chatt')]: there is no such entry", 'Add it, or name'],
            'a worker of skills' => ["#[Worker('skill')]", 'takes no prompt', 'Agent::skill()'],
            'no model' => ["#[Model(' ')]", '#[Model]: it names no model', 'Write its name'],
            'no such engine' => ["#[Engine('mesages')]", 'no engine "mesages"', 'Write agent or messages'],
            'no time' => ['#[Timeout(0)]', '#[Timeout]: it must be more than 0 seconds'],
            'time without end' => ['#[Timeout(INF)]', '#[Timeout]: it must be more than 0 seconds, and a number'],
            'a budget without end' => ['#[Limits(maxBudgetUsd: INF)]', '#[Limits]: maxBudgetUsd must be more than 0'],
            'no worker, in lower case' => [
                "#[\\$ours\\worker('nobody')]", "#[Worker('nobody')]: there is no such entry",
            ],
            'no number' => ["#[Timeout('soon')]", '#[Timeout]: ', 'must be of type float, string given'],
            'no budget' => ['#[Limits(maxBudgetUsd: -1.0)]', '#[Limits]: maxBudgetUsd must be more than 0'],
            'no such limit' => ['#[Limits(budget: 1.0)]', '#[Limits]: Unknown named parameter $budget'],
            'no words' => ["#[SystemPrompt('')]", '#[SystemPrompt]: it is empty', 'or leave the attribute out'],
            'one twice' => ["#[Model('a')] #[Model('b')]", '#[Model]: ', 'must not be repeated'],
            'no tool' => ['#[Tools]', '#[Tools]: it names no tool'],
            'a class that is none' => [
                '#[Tools(PendingRun::class)]', 'PendingRun is no tool', 'make:agent-tool PendingRun',
            ],
            'a class that is not there' => [
                '#[Tools(Missing::class)]', 'there is no class App\Agents\Missing', 'make:agent-tool Missing',
            ],
            'a name that is near' => ["#[Worker('task')] #[Tools('Reed')]", 'no tool Reed', 'Did you mean Read?'],
            'a name of nothing' => ["#[Tools('book_a_meeting')]", 'no tool book_a_meeting', 'Agent::tool()'],
            'a chat with a shell' => ["#[Tools('Bash')]", 'agent-chat has no tool Bash', "#[Worker('task')]"],
            'one that is not imported' => ['#[Modell("x")]', 'no attribute #[Modell]', "Import $ours\\Model"],
            'one that is nothing' => ['#[Temperature(1)]', 'no attribute #[Temperature]', 'Worker, Model, Engine'],
            'one that we have not' => ["#[\\$ours\\Tool('x')]", 'no attribute #[Tool]', "$ours\\Tools"],
        ];
    }

    /** @dataProvider strangers */
    public function testAClassThatIsNoAgentIsTold(string $class, string $problem): void
    {
        $this->expectException(InvalidAgentException::class);
        $this->expectExceptionMessage("$class: $problem");
        Agent::of($class);
    }

    /** @return array<string, array{string, string}> */
    public static function strangers(): array
    {
        return [
            'none' => [FindPartner::class, 'it is no agent, for it does not extend ' . AgentDefinition::class],
            'missing' => ['App\Agents\Nobody', 'there is no such class. `php artisan make:agent` writes one.'],
        ];
    }

    public function testTheToolsThatAreKnownAreThoseOfTheContract(): void
    {
        $schema = json_decode((string) file_get_contents(dirname(__DIR__, 3) . '/schemas/v1/task-request.schema.json'));
        preg_match('/^.*?\. None when/', $schema->properties->tools->description, $sentence);
        preg_match_all('/`([A-Z]\w+)`/', $sentence[0], $names);
        self::assertSame($names[1], Toolbox::BUILT_IN);
    }

    /** @return class-string<AgentDefinition> a class with these attributes, as an application would write it */
    private static function agent(string $attributes, string $methods = '', string $parent = 'AgentDefinition'): string
    {
        static $made = 0;
        $name = 'Made' . ++$made;
        $parent = str_contains($parent, '\\') ? "\\$parent" : $parent;
        eval(<<<PHP
            namespace App\\Agents;
            use AgentWorkers\\Laravel\\AgentDefinition;
            use AgentWorkers\\Laravel\\Attributes\\{Engine, Limits, Model, SystemPrompt, Timeout, Tools, Worker};
            use AgentWorkers\\Laravel\\PendingRun;
            use AgentWorkers\\Request;
            use AgentWorkers\\Tests\\Laravel\\FindPartner;
            use Illuminate\\Contracts\\Config\\Repository;
            $attributes
            class $name extends $parent { $methods }
            PHP);

        return "App\\Agents\\$name";
    }
}

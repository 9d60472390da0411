<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\PendingRun;
use AgentWorkers\Testing\Script;
use Illuminate\Database\Schema\Blueprint;
use Illuminate\Support\Facades\Artisan;
use Illuminate\Support\Facades\DB;
use Illuminate\Support\Facades\Route;
use Illuminate\Support\Facades\Schema;

/** The snippets of the README's chapter on Laravel, as they stand there. */
final class ReadmeTest extends TestCase
{
    private const IMPORTS = 'use AgentWorkers\Event\ErrorEvent;'
        . 'use AgentWorkers\Laravel\AgentDefinition;'
        . 'use AgentWorkers\Laravel\Attributes\{Limits, Model, Timeout, Tools, Worker};'
        . 'use AgentWorkers\Laravel\Http\ChatRequest; use Illuminate\Support\Facades\Route;'
        . 'use AgentWorkers\Laravel\Events\{RunEnded, RunStarted, ToolCalled, ToolFinished};'
        . 'use AgentWorkers\Laravel\Facades\Agent; use AgentWorkers\Laravel\PendingRun;'
        . 'use Illuminate\Contracts\Queue\ShouldQueue; use Illuminate\Support\Facades\{DB, Event, Log};';

    protected function tearDown(): void
    {
        PendingRun::flushMacros();
        parent::tearDown();
    }

    public function testAListenerStoresWhatEachRunHasCost(): void
    {
        config(['database.connections.none.database' => ':memory:']);
        Schema::create('agent_costs', static function (Blueprint $table): void {
            $table->string('run');
            $table->string('partner')->nullable();
            $table->string('status');
            $table->float('cost_usd')->nullable();
        });
        $this->play('final class StoreCosts');
        $this->play('Event::listen(RunEnded::class');
        Agent::fake('Hi', Script::error('auth', more: ['cost_usd' => 0.5]));
        Agent::chat('Hello')->subject('partner', 7)->run();
        $this->ask(['prompt' => 'Hello'])->streamedContent();
        self::assertSame([['done', '7'], ['error', null]], DB::table('agent_costs')->get()->map(
            static fn (object $row): array => [$row->status, $row->partner],
        )->all());
        self::assertEquals(0.5, DB::table('agent_costs')->where('status', 'error')->value('cost_usd'));
    }

    public function testARunIsChangedOnACondition(): void
    {
        $fake = Agent::fake('One', 'Two');
        foreach ([true, false] as $isEditor) {
            $user = new class ($isEditor) {
                public function __construct(private readonly bool $isEditor)
                {
                }

                public function isEditor(): bool
                {
                    return $this->isEditor;
                }
            };
            $this->play('->unless($user->isEditor()', ['question' => 'Why?', 'user' => $user]);
        }
        self::assertSame(['claude-sonnet-5', null], array_map(
            static fn ($request): mixed => $request->get('model'),
            $fake->requests(),
        ));
        self::assertSame('messages', $fake->requests()[1]->get('engine'));
    }

    public function testAMacroOfTheApplicationIsAMethodOfEachRun(): void
    {
        $fake = Agent::fake('One');
        class_exists('Partner') || eval('class Partner { public int $id = 7; }');
        $this->play("PendingRun::macro('forPartner'");
        Agent::chat('Hello')->forPartner(new \Partner())->run();
        self::assertSame(['type' => 'partner', 'id' => '7'], $fake->requests()[0]->get('subject'));
    }

    public function testAnAgentOfTheApplicationIsAskedStreamedAndQueued(): void
    {
        $fake = Agent::fake('One.', 'Two.', 'Three.');
        class_exists('FindDeal') || eval('class FindDeal implements \AgentWorkers\AppTool {'
            . 'public function name(): string { return "find_deal"; }'
            . 'public function description(): string { return "Finds a deal."; }'
            . 'public function schema(): array { return ["type" => "object"]; }'
            . 'public function handle(array $input): mixed { return "none"; } }'
            . 'class Deal { public int $id = 4; public string $title = "Big one"; }');
        $this->play('class DealAgent extends');
        $this->play('Agent::of(DealAgent::class, $deal)', ['deal' => new \Deal()]);
        $this->post('/deals/4/ask', ['prompt' => 'Who is it?'])->assertOk()->streamedContent();
        [$asked, $queued, $streamed] = $fake->requests();
        self::assertSame(['What is next?', 'Sum it up.', 'Who is it?'], [
            $asked->promptText(), $queued->promptText(), $streamed->promptText(),
        ]);
        foreach ($fake->requests() as $request) {
            self::assertSame(['claude-sonnet-5', 5], [$request->get('model'), $request->get('max_turns')]);
            self::assertSame(['type' => 'deal', 'id' => '4'], $request->get('subject'));
            self::assertSame(['find_deal'], array_column($request->get('app_tools'), 'name'));
            self::assertStringContainsString('the deal "Big one".', $request->get('system_prompt'));
        }
    }

    public function testALineIsChangedAndThoseThatAreLeftOutStay(): void
    {
        Artisan::call('vendor:publish', ['--tag' => 'agent-workers-lang']);
        $file = $this->app->langPath() . '/vendor/agent-workers/en/messages.php';
        file_put_contents($file, '<?php ' . $this->snippet("'overloaded' => 'Many people"));
        Agent::fake(Script::error('overloaded'), Script::error('auth', 'No account.'));
        Route::post('/ask', static fn () => Agent::chat('Hello')->text());
        $words = 'Many people are asking at the moment. Come back in a minute.';
        $this->postJson('/ask')->assertJsonPath('message', $words);
        $this->postJson('/ask')->assertJsonPath('message', 'No account.');
    }

    public function testWhatFailedIsKeptInTheLanguageOfTheApplication(): void
    {
        $this->app->setLocale('de');
        Agent::fake(Script::error('timeout'));
        $partner = new class {
            /** @var array<string, string> */
            public array $kept = [];

            /** @param array<string, string> $values */
            public function update(array $values): void
            {
                $this->kept = $values;
            }
        };
        $play = fn () => $this->play('Agent::words($event)', ['request' => 'Hello', 'partner' => $partner], 'return ');
        Route::post('/ask', $play);
        $this->post('/ask')->assertOk()->streamedContent();
        self::assertSame(['error' => 'Die Antwort hat zu lange gedauert.'], $partner->kept);
    }

    public function testAPageGetsTheLinesForItsLanguage(): void
    {
        self::assertSame(1, preg_match('/`@json\((trans\(.*?\))\)`/', $this->readme(), $found));
        $this->app->setLocale('de');
        $lines = eval("return $found[1];");
        self::assertSame('Die Antwort hat zu lange gedauert.', $lines['timeout']);
    }

    /** @dataProvider makers */
    public function testItsCommandsWriteClasses(string $command, string $class, string $file): void
    {
        $lines = $this->readme();
        self::assertSame(1, preg_match("/^php artisan $command $class +# (\S+?)[;:]/m", $lines, $told));
        self::assertSame($file, $told[1]);
        mkdir($this->directory() . '/app');
        $autoload = ['psr-4' => ['App\\' => 'app/']];
        file_put_contents($this->directory() . '/composer.json', json_encode(['autoload' => $autoload]));
        self::assertSame(0, Artisan::call("$command $class --test --force"));
        self::assertFileExists($this->directory() . "/$file");
    }

    /** @return list<array{string, string, string}> */
    public static function makers(): array
    {
        return [
            ['make:agent', 'DealAgent', 'app/Agents/DealAgent.php'],
            ['make:agent-tool', 'FindDeal', 'app/Tools/FindDeal.php'],
        ];
    }

    private function readme(): string
    {
        return (string) file_get_contents(dirname(__DIR__, 2) . '/README.md');
    }

    /**
     * Runs the one snippet with these words.
     *
     * @param array<string, mixed> $variables
     */
    private function play(string $words, array $variables = [], string $before = ''): mixed
    {
        $code = $this->snippet($words);
        extract($variables);

        return eval(self::IMPORTS . $before . $code);
    }

    private function snippet(string $words): string
    {
        preg_match_all('/^```php\n(.*?)^```$/ms', $this->readme(), $all);
        $found = array_values(array_filter($all[1], static fn (string $code): bool => str_contains($code, $words)));
        self::assertCount(1, $found, $words);

        return $found[0];
    }
}

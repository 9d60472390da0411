<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Laravel\PendingRun;
use AgentWorkers\Testing\Script;
use Illuminate\Database\Schema\Blueprint;
use Illuminate\Support\Facades\DB;
use Illuminate\Support\Facades\Schema;

/** The snippets of the README's chapter on Laravel, as they stand there. */
final class ReadmeTest extends TestCase
{
    private const IMPORTS = 'use AgentWorkers\Laravel\Events\{RunEnded, RunStarted, ToolCalled, ToolFinished};'
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

    /**
     * Runs the one snippet with these words.
     *
     * @param array<string, mixed> $variables
     */
    private function play(string $words, array $variables = []): void
    {
        $readme = (string) file_get_contents(dirname(__DIR__, 2) . '/README.md');
        preg_match_all('/^```php\n(.*?)^```$/ms', $readme, $all);
        $found = array_values(array_filter($all[1], static fn (string $code): bool => str_contains($code, $words)));
        self::assertCount(1, $found, $words);
        extract($variables);
        eval(self::IMPORTS . $found[0]);
    }
}

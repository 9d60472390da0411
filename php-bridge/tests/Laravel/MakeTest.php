<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Testing\Script;
use Illuminate\Support\Facades\Artisan;

/** The commands that write classes. */
final class MakeTest extends TestCase
{
    protected function setUp(): void
    {
        parent::setUp();
        $base = $this->directory();
        mkdir("$base/app");
        $autoload = ['psr-4' => ['App\\' => 'app/']];
        file_put_contents("$base/composer.json", json_encode(['autoload' => $autoload]));
    }

    public function testAnAgentIsWrittenThatRuns(): void
    {
        self::assertSame(0, Artisan::call('make:agent', ['name' => 'WrittenAgent']));
        $this->load('app/Agents/WrittenAgent.php');
        $fake = Agent::fake('Hi');
        self::assertSame('Hi', Agent::of('App\Agents\WrittenAgent')->prompt('Hello')->text());
        $fake->assertRan('Hello', 'chat');
        self::assertEquals(60, $fake->requests()[0]->get('limits')['timeout_s']);
        self::assertSame('You are a helpful assistant. Answer briefly.', $fake->requests()[0]->get('system_prompt'));
    }

    public function testAnAgentOfAnotherWorkerIsWritten(): void
    {
        self::assertSame(0, Artisan::call('make:agent', ['name' => 'Night/TidyAgent', '--worker' => 'task']));
        $this->load('app/Agents/Night/TidyAgent.php');
        $fake = Agent::fake('Done.');
        Agent::of('App\Agents\Night\TidyAgent')->prompt('Tidy up.')->run();
        $fake->assertRan('Tidy up.', 'task');
        self::assertNotSame(0, Artisan::call('make:agent', ['name' => 'X', '--worker' => 'nobody']));
        self::assertStringContainsString('There is no worker nobody', Artisan::output());
        self::assertFileDoesNotExist($this->directory() . '/app/Agents/X.php');
    }

    public function testAToolIsWrittenThatAgentsCanCall(): void
    {
        self::assertSame(0, Artisan::call('make:agent-tool', ['name' => 'FindContract']));
        $this->load('app/Tools/FindContract.php');
        Agent::tool('App\Tools\FindContract');
        $fake = Agent::fake(Script::text('None.')->callingTool('find_contract', ['name' => 'C-1']));
        Agent::chat('Where is C-1?')->appTools('find_contract')->run();
        $fake->assertToolAnswered('find_contract', 'There is nothing called C-1.');
    }

    /** @dataProvider names */
    public function testANameThatNoClassCanHaveIsRefused(string $command, string $name, string $file): void
    {
        self::assertNotSame(0, Artisan::call($command, ['name' => $name]));
        self::assertStringContainsString('called', Artisan::output());
        self::assertFileDoesNotExist($this->directory() . "/app/$file");
    }

    /** @return array<string, array{string, string, string}> */
    public static function names(): array
    {
        return [
            'what it imports' => ['make:agent', 'Worker', 'Agents/Worker.php'],
            'what it imports, in lower case' => ['make:agent', 'Shop/timeout', 'Agents/Shop/timeout.php'],
            'what it extends' => ['make:agent', 'AgentDefinition', 'Agents/AgentDefinition.php'],
            'what it implements' => ['make:agent-tool', 'AppTool', 'Tools/AppTool.php'],
            'a word of PHP' => ['make:agent', 'Shop/Class', 'Agents/Shop/Class.php'],
            'a digit first' => ['make:agent', '1x', 'Agents/1x.php'],
            'a sign' => ['make:agent-tool', 'find-deal', 'Tools/find-deal.php'],
            'a way up' => ['make:agent', '../Up', 'Up.php'],
            'no name' => ['make:agent-tool', 'Shop/', 'Tools/Shop/.php'],
        ];
    }

    /** @dataProvider tools */
    public function testTheToolsNameIsOneThatTheApiTakes(string $class, string $tool): void
    {
        self::assertSame(0, Artisan::call('make:agent-tool', ['name' => $class]));
        $written = (string) file_get_contents($this->directory() . "/app/Tools/$class.php");
        self::assertStringContainsString("return '$tool';", $written);
    }

    /** @return list<array{string, string}> */
    public static function tools(): array
    {
        return [
            ['FindDeal', 'find_deal'],
            ['FindURL', 'find_url'],
            ['FindURLOfDeal2', 'find_url_of_deal2'],
            ['Shop/FindOrder', 'find_order'],
            ["Pr\u{fc}feVertrag", 'prufe_vertrag'],
        ];
    }

    /** @dataProvider commands */
    public function testWhatIsThereIsKeptUnlessForced(string $command, string $file): void
    {
        Artisan::call($command, ['name' => 'Kept']);
        file_put_contents($path = $this->directory() . "/$file", 'mine');
        Artisan::call($command, ['name' => 'Kept']);
        self::assertStringContainsString('already exists', Artisan::output());
        self::assertStringEqualsFile($path, 'mine');
        Artisan::call($command, ['name' => 'Kept', '--force' => true]);
        self::assertStringContainsString('class Kept', (string) file_get_contents($path));
    }

    /** @dataProvider commands */
    public function testItsTestIsWrittenWithIt(string $command, string $file): void
    {
        self::assertSame(0, Artisan::call($command, ['name' => 'Kept', '--test' => true]));
        $test = str_replace(['app/', '.php'], ['tests/Feature/', 'Test.php'], $file);
        self::assertStringContainsString('class KeptTest', (string) file_get_contents($this->directory() . "/$test"));
    }

    /** @dataProvider commands */
    public function testAStubOfTheApplicationIsUsedInstead(string $command, string $file, string $stub): void
    {
        self::assertSame(0, Artisan::call('vendor:publish', ['--tag' => 'agent-workers-stubs']));
        $published = $this->directory() . "/stubs/$stub";
        self::assertFileEquals(dirname(__DIR__, 2) . "/stubs/$stub", $published);
        $changed = str_replace('class {{', 'final class {{', (string) file_get_contents($published));
        file_put_contents($published, $changed);
        Artisan::call($command, ['name' => 'Kept']);
        self::assertStringContainsString('final class Kept', (string) file_get_contents($this->directory() . "/$file"));
    }

    /** @return array<string, array{string, string, string}> */
    public static function commands(): array
    {
        return [
            'an agent' => ['make:agent', 'app/Agents/Kept.php', 'agent.stub'],
            'a tool' => ['make:agent-tool', 'app/Tools/Kept.php', 'agent-tool.stub'],
        ];
    }

    private function load(string $file): void
    {
        require $this->directory() . "/$file";
    }
}

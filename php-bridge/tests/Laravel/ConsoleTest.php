<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Request;
use AgentWorkers\Testing\Script;
use Illuminate\Support\Facades\Artisan;

final class ConsoleTest extends TestCase
{
    public function testAgentChatPrintsTheAnswerAsItIs(): void
    {
        Agent::fake("A <error>tag</error> and \e[31mred\e[0m.");
        self::assertSame(0, Artisan::call('agent:chat', ['prompt' => 'Hello']));
        self::assertSame("A <error>tag</error> and [31mred[0m.\n", Artisan::output());
    }

    public function testAgentChatGoesOnInOneConversation(): void
    {
        $fake = Agent::fake('One', 'Two');
        $this->artisan('agent:chat')->expectsQuestion('You', 'First')->expectsQuestion('You', 'Second')
            ->expectsQuestion('You', '')->assertExitCode(0)->run();
        [$first, $second] = $fake->requests();
        self::assertNull($first->get('session'));
        self::assertSame(['resume' => '00000000-0000-4000-8000-000000000000'], $second->get('session'));
    }

    public function testAgentChatGoesOnFromBeforeWhatCouldNotBeSaved(): void
    {
        $saved = '8b8c3f0e-6a51-4a3e-9a55-0f0f6f1c2d3e';
        $turn = static fn (string $session, array ...$more): Script => Script::events(
            ['type' => 'session', 'session_id' => $session],
            ...[...$more, ['type' => 'done', 'text' => 'Hi']],
        );
        $notice = ['type' => 'notice', 'level' => 'warning', 'code' => 'session_not_saved', 'message' => 'Not saved.'];
        $lost = '0c6f9d3e-1111-4222-8333-444455556666';
        $fake = Agent::fake($turn($lost, $notice), $turn($saved), $turn($lost, $notice), 'Four');
        $this->artisan('agent:chat')->expectsQuestion('You', 'One')->expectsQuestion('You', 'Two')
            ->expectsQuestion('You', 'Three')->expectsQuestion('You', 'Four')->expectsQuestion('You', '')
            ->assertExitCode(0)->run();
        self::assertSame(
            [null, null, ['resume' => $saved], ['resume' => $saved]],
            array_map(static fn (Request $request): mixed => $request->get('session'), $fake->requests()),
        );
    }

    public function testAgentChatTellsAFailureAndExitsAsTheWorkerDoes(): void
    {
        Agent::fake(Script::error('overloaded', 'Too much to do.', true)->exitsWith(75));
        self::assertSame(75, Artisan::call('agent:chat', ['prompt' => 'Hello']));
        self::assertStringContainsString('Too much to do. (overloaded)', Artisan::output());
    }

    public function testAgentChatNamesWhatIsWrongWithARequest(): void
    {
        $details = [['pointer' => '/limits/idle_timeout_s', 'message' => 'is not a known field']];
        $refused = Script::error('invalid_request', 'The request is not valid.', false, ['details' => $details]);
        Agent::fake($refused->exitsWith(2));
        self::assertSame(2, Artisan::call('agent:chat', ['prompt' => 'Hello']));
        self::assertStringContainsString('/limits/idle_timeout_s is not a known field', Artisan::output());
    }

    /** @dataProvider endings */
    public function testAgentRunExitsAsTheWorkerWould(Script $script, int $status): void
    {
        Agent::fake($script);
        file_put_contents($this->directory() . '/request.json', '{"prompt": "Hello"}');
        self::assertSame($status, Artisan::call('agent:run', [
            'worker' => 'chat',
            'file' => $this->directory() . '/request.json',
        ]));
        foreach (explode("\n", trim(Artisan::output())) as $line) {
            self::assertIsInt(json_decode($line, true, 512, JSON_THROW_ON_ERROR)['seq']);
        }
    }

    /** @return array<string, array{Script, int}> */
    public static function endings(): array
    {
        return [
            'done' => [Script::text('<info>Hi</info>'), 0],
            'error' => [Script::error('auth'), 1],
            'retryable' => [Script::error('overloaded', retryable: true), 75],
            'refused' => [Script::error('invalid_request')->exitsWith(2), 2],
        ];
    }

    public function testAgentRunRefusesAFileThatIsNoRequest(): void
    {
        $fake = Agent::fake();
        file_put_contents($this->directory() . '/request.json', '[1]');
        $this->artisan('agent:run', ['worker' => 'chat', 'file' => $this->directory() . '/request.json'])
            ->assertExitCode(2)->run();
        $this->artisan('agent:run', ['worker' => 'chat', 'file' => '/nonexistent'])->assertExitCode(2)->run();
        $fake->assertNothingRan();
    }

    public function testAgentSkillPrintsTheOutputAloneAndTakesWhateverARequestMaySay(): void
    {
        $fake = Agent::fake()->skill('partner-health', Script::output(['score' => 0.5, 'more' => new \stdClass()]));
        $subject = '"subject": {"type": "partner", "id": "7"}';
        $this->write("{\"input\": {\"partner\": {}}, \"model\": \"claude-haiku-5\", $subject}");
        self::assertSame(0, $this->skill());
        self::assertSame("{\"score\":0.5,\"more\":{}}\n", Artisan::output());
        [$request] = $fake->requests('skill');
        self::assertSame('claude-haiku-5', $request->get('model'));
        self::assertStringContainsString('"input":{"partner":{}}', $request->toJson());
    }

    public function testAgentSkillSaysWhatIsWrongAndExitsAsTheWorkerDoes(): void
    {
        $details = [['pointer' => '/input/partnr', 'message' => 'is no field', 'did_you_mean' => '/input/partner']];
        $refusal = Script::error('invalid_request', "Not \e[31mvalid.", more: ['details' => $details])->exitsWith(2);
        Agent::fake()->skill('partner-health', $refusal, Script::error('overloaded', retryable: true));
        $this->write('{"input": {}}');
        self::assertSame(2, $this->skill());
        self::assertSame(
            "Not [31mvalid. (invalid_request)\n  /input/partnr is no field; did you mean /input/partner?\n",
            Artisan::output(),
        );
        self::assertSame(75, $this->skill());
        $this->write('[1]');
        self::assertSame(2, $this->skill());
    }

    public function testAgentSkillsListsWhatItsProgramFinds(): void
    {
        $list = ['skills' => [
            ['name' => 'partner-health', 'version' => '2.0.0', 'owner' => 'sales', 'place' => 'bundled'],
            ['name' => 'odd', 'fault' => "is no \e[31mskill"],
        ]];
        $this->write(json_encode($list));
        $program = $this->directory() . '/agent-skill';
        file_put_contents($program, "#!/bin/sh\n[ \"\$*\" = 'list --json' ] && cat {$this->file()}\n");
        chmod($program, 0700);
        config(['agent-workers.binaries.agent-skill' => $program]);
        self::assertSame(0, Artisan::call('agent:skills'));
        $shown = Artisan::output();
        self::assertMatchesRegularExpression('/partner-health *\| 2\.0\.0 *\| sales *\| bundled/', $shown);
        self::assertStringContainsString('faulty: is no [31mskill', $shown);
        self::assertSame(0, Artisan::call('agent:skills', ['--json' => true]));
        self::assertSame(json_encode($list), Artisan::output());
        config(['agent-workers.binaries.agent-skill' => '/nonexistent']);
        self::assertSame(1, Artisan::call('agent:skills'));
    }

    public function testDoctorFailsWhereTheProgramIsMissing(): void
    {
        config(['agent-workers.binaries.agent-workers' => '/nonexistent/agent-workers']);
        $this->artisan('agent:doctor')->expectsOutput('As ' . posix_getpwuid(posix_geteuid())['name'] . ': fail')
            ->assertExitCode(1)->run();
    }

    public function testTheConfigurationCanBePublished(): void
    {
        $this->artisan('vendor:publish', ['--tag' => 'agent-workers-config'])->assertExitCode(0)->run();
        $published = require config_path('agent-workers.php');
        self::assertSame(config('agent-workers'), $published);
    }

    private function skill(): int
    {
        return Artisan::call('agent:skill', ['name' => 'partner-health', 'file' => $this->file()]);
    }

    private function write(string $json): void
    {
        file_put_contents($this->file(), $json);
    }

    private function file(): string
    {
        return $this->directory() . '/request.json';
    }
}

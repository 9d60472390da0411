<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Unit;

use AgentWorkers\Decision;
use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Request;
use PHPUnit\Framework\TestCase;

final class RequestTest extends TestCase
{
    public function testEveryMethodWritesItsFieldOfTheContract(): void
    {
        $request = Request::prompt('Hi')
            ->run('r1')
            ->systemPrompt('Be brief.')
            ->model('opus', fallback: 'sonnet')
            ->engine('messages')
            ->maxTokens(2000)
            ->maxTurns(3)
            ->thinking()
            ->session(resume: 'abc', fork: true)
            ->limits(timeoutS: 60)
            ->limits(maxBudgetUsd: 0.5)
            ->stream(partial: false, pingS: 5)
            ->outputSchema(['type' => 'object'])
            ->metadata(['user' => 1])
            ->subject('partner', 417)
            ->user('ada')
            ->goal('Keep the partner.')
            ->traceparent('00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01')
            ->appTool('weather', 'The weather.', ['type' => 'object'])
            ->cwd('/srv/work')
            ->addDirs(['/srv/more'])
            ->tools(['Read', 'Bash'])
            ->permissions(mode: 'ask', allow: ['Read'])
            ->permissions(deny: ['Bash(rm:*)'], timeoutS: 30)
            ->mcpServers(['crm' => ['url' => 'https://crm.example']])
            ->agents(['reviewer' => ['description' => 'Reviews.', 'prompt' => 'Review.']]);

        self::assertEquals([
            'prompt' => 'Hi',
            'run' => 'r1',
            'system_prompt' => 'Be brief.',
            'model' => 'opus',
            'fallback_model' => 'sonnet',
            'engine' => 'messages',
            'max_tokens' => 2000,
            'max_turns' => 3,
            'thinking' => true,
            'session' => ['resume' => 'abc', 'fork' => true],
            'limits' => ['timeout_s' => 60.0, 'max_budget_usd' => 0.5],
            'stream' => ['partial' => false, 'ping_s' => 5.0],
            'output_schema' => ['type' => 'object'],
            'metadata' => ['user' => 1],
            'subject' => ['type' => 'partner', 'id' => '417'],
            'user' => 'ada',
            'goal' => 'Keep the partner.',
            'traceparent' => '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
            'app_tools' => [
                ['name' => 'weather', 'description' => 'The weather.', 'input_schema' => ['type' => 'object']],
            ],
            'cwd' => '/srv/work',
            'add_dirs' => ['/srv/more'],
            'tools' => ['Read', 'Bash'],
            'permissions' => ['mode' => 'ask', 'allow' => ['Read'], 'deny' => ['Bash(rm:*)'], 'timeout_s' => 30.0],
            'mcp_servers' => ['crm' => ['url' => 'https://crm.example']],
            'agents' => ['reviewer' => ['description' => 'Reviews.', 'prompt' => 'Review.']],
        ], $request->toArray());
    }

    public function testASkillHasItsInputAsAnObjectAndItsOwnLimits(): void
    {
        $request = Request::skill('partner-health', ['notes' => [], 'metrics' => new \stdClass()]);
        self::assertSame('{"skill":"partner-health","input":{"notes":[],"metrics":{}}}', $request->toJson());
        self::assertSame('{"skill":"partner-health","input":{}}', Request::skill('partner-health', [])->toJson());
        self::assertSame([INF, 60.0], [$request->timeoutS(), $request->limits(timeoutS: 60)->timeoutS()]);
    }

    public function testADecisionIsForARunThatDefers(): void
    {
        $decided = Request::prompt('Go on.')->decision('t1', Decision::deny('No.'));
        self::assertSame(
            ['mode' => 'defer', 'decision' => ['tool_use_id' => 't1', 'behavior' => 'deny', 'message' => 'No.']],
            $decided->get('permissions'),
        );
        $allowed = Request::prompt('Go on.')->permissions(allow: ['Read'])->decision('t1', Decision::allow(['n' => 0]));
        self::assertSame(
            '{"permissions":{"mode":"defer","decision":{"tool_use_id":"t1","behavior":"allow","updated_input":{"n":0}},'
                . '"allow":["Read"]},"prompt":"Go on."}',
            $allowed->toJson(),
        );
    }

    public function testAnEmptyInputIsNoChangeAndRefused(): void
    {
        $this->expectException(InvalidArgumentException::class);
        Decision::allow([]);
    }

    public function testARequestNeverChanges(): void
    {
        $request = Request::prompt('Hi');
        $request->model('opus');

        self::assertSame(['prompt' => 'Hi'], $request->toArray());
    }

    public function testEmptyObjectsStayObjects(): void
    {
        $request = Request::prompt('Hi')
            ->metadata([])
            ->limits()
            ->appTool('now', 'The time.', ['type' => 'object', 'properties' => []])
            ->outputSchema(['type' => 'object', 'properties' => ['a' => ['properties' => [], 'required' => []]]]);
        $task = $request
            ->permissions()
            ->mcpServers(['crm' => ['command' => 'crm', 'args' => [], 'env' => []], 'web' => ['headers' => []]])
            ->agents([]);
        $json = $task->toJson();

        self::assertStringContainsString('"permissions":{}', $json);
        self::assertStringContainsString('"agents":{}', $json);
        self::assertStringContainsString('{"command":"crm","args":[],"env":{}},"web":{"headers":{}}', $json);
        self::assertStringContainsString('"metadata":{}', $json);
        self::assertStringContainsString('"limits":{}', $json);
        self::assertStringContainsString('"input_schema":{"type":"object","properties":{}}', $json);
        self::assertStringContainsString('{"a":{"properties":{},"required":[]}}', $json);
    }

    public function testWhatCameAsJsonGoesAsTheSameJson(): void
    {
        $json = '{"prompt":"Hi","metadata":{"a":{},"b":[]},"limits":{"timeout_s":5}}';

        self::assertSame($json, Request::fromJson($json)->toJson());
    }

    public function testTheJsonIsOneLineOfAscii(): void
    {
        $json = Request::prompt("a\nb\u{2028}ü😀")->toJson();

        self::assertMatchesRegularExpression('/^[\x20-\x7e]+$/', $json);
    }

    public function testBrokenUtf8IsReplacedAndNotRefused(): void
    {
        self::assertSame('{"prompt":"a\ufffdb"}', Request::prompt("a\xffb")->toJson());
    }

    public function testWhatJsonCannotSayIsRefused(): void
    {
        $this->expectException(InvalidArgumentException::class);
        Request::prompt('Hi')->metadata(['x' => NAN])->toJson();
    }

    public function testASessionIsResumedOrNew(): void
    {
        self::assertSame(['id' => 'abc'], Request::prompt('Hi')->session(id: 'abc')->get('session'));

        $this->expectException(InvalidArgumentException::class);
        Request::prompt('Hi')->session(resume: 'abc', id: 'abc');
    }

    public function testThePromptsTextLeavesImagesOut(): void
    {
        $blocks = [['type' => 'text', 'text' => 'What is this?'], ['type' => 'image', 'source' => []]];

        self::assertSame('What is this?', Request::prompt($blocks)->promptText());
        self::assertSame('What is this?', Request::fromJson(Request::prompt($blocks)->toJson())->promptText());
    }
}

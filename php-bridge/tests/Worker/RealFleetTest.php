<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Worker;

use AgentWorkers\Event\Aborted;
use AgentWorkers\Event\Delta;
use AgentWorkers\Event\Done;
use AgentWorkers\Event\PermissionRequest;
use AgentWorkers\Event\ToolResult;
use AgentWorkers\Fleet\JobOptions;
use AgentWorkers\Fleet\Told;
use AgentWorkers\FleetRunner;
use AgentWorkers\Request;
use AgentWorkers\Tests\Fleets;
use AgentWorkers\Tests\Workers;
use PHPUnit\Framework\TestCase;
use Symfony\Component\Process\Process;

/** Runs over `agent-workers fleet work`; the simulator is what its agents take for the API. */
final class RealFleetTest extends TestCase
{
    use Fleets;
    use Workers;

    /** @var list<Process> */
    private array $servers = [];

    protected function setUp(): void
    {
        $this->startRedis();
    }

    /** @after */
    protected function endServers(): void
    {
        foreach (array_reverse($this->servers) as $server) {
            $server->stop(30);
        }
    }

    public function testARunAndTheNextMessageOfItsConversationAreAnswered(): void
    {
        $runner = $this->workingWith('hello');
        $events = self::events($runner->stream(Request::prompt('My name is Ada.')->user('ada')));
        self::assertStringContainsString('You said: My name is Ada.', self::text($events));
        $done = end($events);
        self::assertInstanceOf(Done::class, $done);
        self::assertSame('ada', $events[0]->user);
        $status = $this->fleet()->status($done->run);
        self::assertSame(['done', 1, $done->sessionId], [$status->state, $status->attempt, $status->sessionId]);
        self::assertSame($done->text, $this->fleet()->outcome($done->run)->text);
        $next = $runner->run(Request::prompt('Who am I?')->session(resume: $done->sessionId));
        self::assertSame($done->sessionId, $next->sessionId);
    }

    public function testARunIsStoppedFromElsewhere(): void
    {
        $run = $this->workingWith('hello')->stream(Request::prompt('Go on. [[scenario:slow]]'));
        foreach ($run as $event) {
            if ($event instanceof Delta && !isset($told)) {
                $told = $this->fleet()->abort($run->id);
            }
        }
        self::assertSame(Told::Sent, $told);
        self::assertInstanceOf(Aborted::class, $event);
        self::assertSame(Told::Over, $this->fleet()->abort($run->id));
    }

    public function testARunGoesOnWhenItsReaderHasLeft(): void
    {
        $runner = $this->workingWith('hello');
        $run = $runner->stream(Request::prompt('Hello'));
        foreach ($run as $event) {
            break;
        }
        self::assertTrue($run->isLeft());
        $job = $this->fleet()->status($run->id);
        self::assertInstanceOf(Done::class, $runner->attach($job->request(), '1-1')->wait());
    }

    public function testAToolOfTheApplicationIsCalled(): void
    {
        $runner = $this->workingWith($this->scenario(['mcp__app__weather', ['city' => 'Graz']]));
        $schema = ['type' => 'object', 'properties' => ['city' => ['type' => 'string']]];
        $weather = static fn (array $input): string => "sunny in {$input['city']}";
        $done = $runner->run(Request::prompt('How is it?')->appTool('weather', 'Weather.', $schema, $weather));
        self::assertStringContainsString('sunny in Graz', $done->text);
    }

    public function testAPermissionIsGiven(): void
    {
        $folder = $this->directory() . '/work';
        mkdir($folder);
        $scenario = $this->scenario(['Bash', ['command' => 'echo made > made.txt', 'description' => 'Makes it.']]);
        $runner = $this->workingWith($scenario, 'agent-task')->job(JobOptions::make()->attempts(1));
        $request = Request::prompt('Make it.')->cwd($folder)->tools(['Bash'])->permissions(mode: 'ask');
        $results = [];
        foreach (($run = $runner->stream($request)) as $event) {
            $event instanceof PermissionRequest && $run->permission($event->permissionId, 'allow');
            $event instanceof ToolResult && $results[] = $event->status;
        }
        self::assertInstanceOf(Done::class, $event);
        self::assertSame(['ok'], $results);
        self::assertFileExists("$folder/made.txt");
    }

    private function workingWith(string $scenario, string $worker = 'agent-chat'): FleetRunner
    {
        $this->servers[] = $simulator = $this->serve(['simulate', "--scenario=$scenario"], []);
        $simulator->waitUntil(static fn (string $type, string $bytes): bool => str_contains($bytes, "\n"));
        $home = $this->directory();
        $this->servers[] = $machine = $this->serve(['fleet', 'work', '--redis', $this->fleetUrl()], [
            'HOME' => $home,
            'AGENT_WORKERS_STATE_DIR' => "$home/state",
            'ANTHROPIC_API_KEY' => 'simulated',
            'ANTHROPIC_BASE_URL' => substr(trim($simulator->getOutput()), strlen('ANTHROPIC_BASE_URL=')),
        ]);
        $isUp = static fn (): bool => str_contains($machine->getErrorOutput() . $machine->getOutput(), 'takes jobs');
        self::eventually($isUp, 'The machine did not come up.');

        return new FleetRunner($this->fleet(), $worker);
    }

    /**
     * @param list<string> $words
     * @param array<string, string> $environment
     */
    private function serve(array $words, array $environment): Process
    {
        $unset = array_fill_keys(array_keys(getenv() + $_ENV + $_SERVER), false);
        $path = ['PATH' => getenv('PATH')];
        $server = new Process([$this->binary('agent-workers'), ...$words], null, $environment + $path + $unset);
        $server->setTimeout(null)->start();

        return $server;
    }
}

<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Exception\RunFailedException;
use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Request;
use Illuminate\Foundation\Application;
use Illuminate\Session\Middleware\StartSession;
use Illuminate\Support\Facades\Artisan;
use Illuminate\Support\Facades\Route;
use Symfony\Component\Process\Process;

/** A worker in another language, which has no prompt: that of examples/go, by the lines of its page. */
final class GoWorkerTest extends TestCase
{
    private const EXAMPLE = __DIR__ . '/../../../examples/go';
    private const SCORE = ['partner' => 'p-1042', 'score' => 67, 'status' => 'watch'];

    private static string $folder;

    public static function setUpBeforeClass(): void
    {
        self::$folder = sys_get_temp_dir() . '/go-' . bin2hex(random_bytes(8));
        mkdir(self::$folder, 0700);
        $variables = ['GOCACHE' => self::$folder . '/cache', 'GOFLAGS' => '-mod=mod', 'GOPROXY' => 'off'];
        $build = ['go', 'build', '-o', self::$folder . '/scorer', '.'];
        (new Process($build, self::EXAMPLE, $variables, null, 120))->mustRun();
    }

    public static function tearDownAfterClass(): void
    {
        (new Process(['rm', '-rf', self::$folder]))->mustRun();
    }

    protected function configure(Application $app): void
    {
        parent::configure($app);
        [$line] = self::snippets();
        $workers = eval('return [' . str_replace('/opt/agents/bin', self::$folder, $line) . '];');
        $app->make('config')->set('agent-workers.workers', $workers);
    }

    public function testOneLineOfConfigurationRunsItAndGetsItsOutput(): void
    {
        [, $example] = self::snippets();
        $this->expectOutputString('67');
        eval($example);
        self::assertSame(self::SCORE, array_intersect_key($score, self::SCORE));
        self::assertSame(['deals_won', 'open_tickets'], array_column($score['reasons'], 'figure'));
    }

    public function testTheErrorForAnEntryThatIsMissingSaysWhichThereAreAndWhy(): void
    {
        $this->expectExceptionMessage('There is no worker chat');
        $this->expectExceptionMessageMatches('/, but scorer\. That list replaces the one of the package/');
        Agent::chat('Hello')->text();
    }

    public function testItsDoneTellsWhatTheRunWasAbout(): void
    {
        $done = Agent::worker('scorer', self::asked())->subject('partner', 417)->user('ada')->run();
        self::assertEquals([['type' => 'partner', 'id' => '417'], 'ada'], [$done->subject, $done->user]);
        self::assertStringStartsWith("Acme: 67 of 100, watch.\n", $done->text);
    }

    public function testItStreamsToAVisitor(): void
    {
        Route::post('/score', static fn () => Agent::worker('scorer', self::asked()))->middleware(StartSession::class);
        $this->asVisitor('ada');
        $response = $this->post('/score', [], ['Accept' => 'text/event-stream'])->assertOk();
        $events = $this->eventsOf($response);
        self::assertSame(['start', 'delta', 'delta', 'delta', 'done'], array_column($events, 'type'));
        self::assertSame(self::SCORE, array_intersect_key(end($events)['output'], self::SCORE));
    }

    public function testItRunsOnTheQueue(): void
    {
        $this->app->instance(RememberingHandler::class, $handler = new RememberingHandler());
        Agent::worker('scorer', self::asked())->dispatch(RememberingHandler::class);
        self::assertSame(['start', 'delta', 'delta', 'delta', 'done'], $handler->types);
    }

    public function testItsRefusalNamesTheField(): void
    {
        try {
            Agent::worker('scorer', self::asked()->with('as_of', 'soon'))->run();
            self::fail('It was not refused.');
        } catch (RunFailedException $failure) {
            self::assertSame('/as_of', $failure->event->details[0]['pointer']);
        }
    }

    public function testManyAreScoredInABatch(): void
    {
        $requests = static function (): \Generator {
            foreach (['a' => 9, 'b' => 0] as $key => $tickets) {
                yield $key => Agent::worker('scorer', self::asked()->with('metrics', ['open_tickets' => $tickets]));
            }
        };
        config(['agent-workers.binaries.agent-batch' => dirname((string) getenv('AGENT_CHAT_BIN')) . '/agent-batch']);
        $scores = Agent::batch($requests())->map(static fn ($result): int => $result->orFail()->output['score'])->all();
        ksort($scores);
        self::assertSame(['a' => 10, 'b' => 100], $scores);
    }

    public function testDoctorFindsThatItCanRun(): void
    {
        config(['agent-workers.binaries.agent-workers' => '/nonexistent', 'agent-workers.web_user' => '']);
        Artisan::call('agent:doctor', ['--json' => true]);
        $reports = json_decode(Artisan::output(), true, 512, JSON_THROW_ON_ERROR);
        $checks = array_column(reset($reports)['checks'], 'status', 'check');
        self::assertSame('ok', $checks['worker scorer']);
    }

    public function testItsRequestKeepsItsToolsAndGetsWhatTheConfigurationSays(): void
    {
        config(['agent-workers.workers.scorer.limits' => ['timeout_s' => 9]]);
        $request = self::asked()->appTool('find', 'Finds.', ['type' => 'object'], static fn (): string => 'found');
        $whole = Agent::worker('scorer', $request)->request();
        self::assertSame(['timeout_s' => 9], $whole->get('limits'));
        self::assertSame(['find'], array_keys($whole->handlers()));
        self::assertNull($whole->get('prompt'));
    }

    private static function asked(): Request
    {
        return Request::fromArray([
            'partner' => ['id' => 'p-1042', 'name' => 'Acme'],
            'metrics' => ['deals_won' => 7, 'deals_lost' => 3, 'open_tickets' => 4],
            'as_of' => '2026-11-26',
        ]);
    }

    /** @return list<string> the PHP of the example's page */
    private static function snippets(): array
    {
        preg_match_all('/^```php\n(.*?)^```$/ms', (string) file_get_contents(self::EXAMPLE . '/README.md'), $found);

        return $found[1];
    }
}

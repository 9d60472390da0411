<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Event\Delta;
use AgentWorkers\Event\ErrorEvent;
use AgentWorkers\Event\Event;
use AgentWorkers\Exception\RunFailedException;
use AgentWorkers\Event\EventFactory;
use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Process\ExitStatus;
use AgentWorkers\Run\Ending;
use AgentWorkers\Laravel\Http\ChatRequest;
use AgentWorkers\Laravel\Stream\Store;
use AgentWorkers\Testing\Script;
use Illuminate\Support\Arr;
use Illuminate\Support\Facades\Artisan;
use Illuminate\Support\Facades\Route;
use Illuminate\Support\Facades\View;

/** What visitors read, in the language of the application. */
final class WordsTest extends TestCase
{
    private const LANG = __DIR__ . '/../../lang';
    private const UUID = '6a5f5f0f-7df0-4a43-a5b0-6d6f1f0f8a11';

    public function testEachLanguageHasAllLinesWithTheSamePlaceholders(): void
    {
        $placeholders = static function (string $line): array {
            preg_match_all('/:(?!message|code)[a-z]+/i', $line, $found);

            return array_map(strtolower(...), $found[0]);
        };
        [$english, $german] = [self::lines('en'), self::lines('de')];
        self::assertSame(array_keys($english), array_keys($german));
        foreach ($english as $key => $line) {
            self::assertNotSame('', $german[$key]);
            self::assertSame($placeholders($line), $placeholders($german[$key]), $key);
            self::assertTrue($line === 'prompt' || $line !== $german[$key], "$key is not translated");
        }
    }

    public function testThereIsALineForEachCodeOfTheContract(): void
    {
        $schema = dirname(__DIR__, 3) . '/schemas/v1/events/error.schema.json';
        $codes = json_decode((string) file_get_contents($schema), true)['properties']['code']['examples'];
        self::assertContains('rate_limited', $codes);
        self::assertSame([], array_diff($codes, array_keys((require self::LANG . '/de/messages.php')['errors'])));
    }

    public function testInEnglishAFailureIsToldInTheWordsOfTheWorker(): void
    {
        $this->failing('rate_limited', 'Only 5 a minute.')->assertStatus(429)
            ->assertJsonPath('message', 'Only 5 a minute.');
        $this->failing('brand_new', 'New: :code.')->assertJsonPath('message', 'New: :code.');
    }

    public function testAFailureIsToldInTheLanguageOfTheApplication(): void
    {
        $this->app->setLocale('de');
        $this->failing('rate_limited')->assertJsonPath(
            'message',
            'Zurzeit gibt es zu viele Anfragen. Versuchen Sie es später noch einmal.',
        )->assertJsonPath('code', 'rate_limited');
        $this->failing('invalid_request', 'No tool /x.')
            ->assertJsonPath('message', 'Das ließ sich so nicht ausführen: No tool /x.');
        foreach (['brand_new', 'errors.internal', 'other'] as $code) {
            $this->failing($code)->assertJsonPath('message', "Es ist ein Fehler aufgetreten ($code).");
        }
    }

    public function testARunThatIsOutOfSightIsNotCalledBrokenOff(): void
    {
        $this->app->setLocale('de');
        $lost = Ending::lost(ExitStatus::outOfSight());
        $told = Agent::words(EventFactory::compose('r', 1, 'error', $lost));
        self::assertStringContainsString('Sie entsteht weiter', $told);
    }

    public function testAnAbortIsToldInTheLanguageOfTheApplication(): void
    {
        $this->app->setLocale('de');
        Route::post('/ask', static fn () => Agent::chat('Hello')->text());
        Agent::fake(
            Script::events(['type' => 'aborted', 'reason' => 'signal']),
            Script::events(['type' => 'aborted', 'reason' => 'a_new_one']),
        );
        $this->postJson('/ask')->assertJsonPath('message', 'Die Antwort wurde vom Server angehalten.');
        $this->postJson('/ask')->assertJsonPath('message', 'Die Antwort wurde angehalten.');
    }

    public function testThePageForAFailureHasTheWordsToo(): void
    {
        $this->app->setLocale('de');
        mkdir($this->directory() . '/views/errors', 0700, true);
        file_put_contents($this->directory() . '/views/errors/503.blade.php', '{{ $exception->getMessage() }}');
        config(['view.paths' => [$this->directory() . '/views']]);
        View::addLocation($this->directory() . '/views');
        Agent::fake(Script::error('overloaded', retryable: true));
        Route::get('/page', static fn () => Agent::chat('Hello')->text());
        $this->get('/page', ['Accept' => 'text/html'])->assertStatus(503)
            ->assertSeeText('Das Modell ist zurzeit überlastet.');
    }

    public function testTheEventOfTheWorkerStaysAsItIs(): void
    {
        $this->app->setLocale('de');
        Agent::fake(Script::error('timeout', 'The run took longer than its time limit.'));
        $events = $this->eventsOf($this->ask(['prompt' => 'Hello']));
        self::assertSame('The run took longer than its time limit.', end($events)['message']);
    }

    public function testTheEndThatPhpWritesSpeaksTheLanguageOfTheApplicationAndSoDoesItsRecord(): void
    {
        $this->app->setLocale('de');
        $this->asVisitor('Ada');
        Agent::fake(Script::text('One two')->crashAfter(2));
        $events = $this->eventsOf($this->ask(['prompt' => 'Hello']));
        $words = 'Die Antwort ist unerwartet abgebrochen. Versuchen Sie es noch einmal.';
        self::assertSame(['worker_lost', $words], [end($events)['code'], end($events)['message']]);
        $kept = $this->eventsOf($this->follow(end($events)['run'], 0));
        self::assertSame($events, $kept);
    }

    public function testAFailureOfTheApplicationInTheMidstOfAStreamIsToldInItsLanguage(): void
    {
        $this->app->setLocale('de');
        Agent::fake('One two');
        Route::post('/ask', static fn (ChatRequest $request) => Agent::chat($request)->onEvent(
            static fn (Event $event) => $event instanceof Delta && throw new \DomainException('A bug.'),
        ));
        $events = $this->eventsOf($this->post('/ask', ['prompt' => 'Hello']));
        self::assertSame(['internal', 'Es ist ein Fehler aufgetreten.'], [
            end($events)['code'], end($events)['message'],
        ]);
    }

    /** @dataProvider refusals */
    public function testWhatARouteRefusesIsToldInTheLanguageOfTheApplication(
        string $path,
        array $body,
        int $status,
        string $words,
        string $field = 'message',
    ): void {
        $this->app->setLocale('de');
        $this->postJson($path, $body)->assertStatus($status)->assertJsonPath($field, $words);
    }

    /** @return array<string, array<mixed>> */
    public static function refusals(): array
    {
        $long = ['prompt' => str_repeat('x', 100_001)];

        return [
            'no prompt' => ['/agent/chat', [], 422, 'Die Frage fehlt.'],
            'no text' => ['/agent/chat', ['prompt' => [1]], 422, 'Die Frage muss ein Text sein.'],
            'a long prompt' => ['/agent/chat', $long, 422, 'Die Frage hat mehr als 100000 Zeichen.'],
            'no UUID' => [
                '/agent/chat', ['prompt' => 'Hi', 'conversation' => 'x'], 422, 'Die Unterhaltung muss eine UUID sein.',
            ],
            'another field' => [
                '/agent/chat', ['prompt' => 'Hi', 'model' => 'x'], 422, 'Dieses Feld wird nicht angenommen.',
                'errors.model.0',
            ],
            'a word of nothing' => ['/agent/runs/r/steer', ['text' => ''], 422, 'Der Text fehlt.'],
            'a word to nobody' => ['/agent/runs/r/steer', ['text' => 'Hi'], 404, 'Diese Antwort gibt es nicht.'],
            'an abort of nothing' => ['/agent/runs/r/abort', [], 404, 'Diese Antwort gibt es nicht.'],
            'no decision' => [
                '/agent/runs/r/permissions/p', ['behavior' => 'perhaps'], 422,
                'Die Entscheidung muss eines von diesen sein: allow, deny.',
            ],
            'a decision of nothing' => [
                '/agent/runs/r/permissions/p', ['behavior' => 'allow'], 404, 'Diese Frage gibt es nicht.',
            ],
            'no answer' => ['/agent/runs/r/answers/q', ['answers' => 'yes'], 422, 'Die Antwort muss ein Objekt sein.'],
        ];
    }

    public function testWhatIsWrongWithAnAnswerIsToldInTheLanguageOfTheApplication(): void
    {
        $this->app->setLocale('de');
        $this->asVisitor('Ada');
        $owner = hash('sha256', 'session:' . self::sessionOf('Ada'));
        $question = ['question' => 'Welche Farbe?', 'multi' => false];
        $store = $this->app->make(Store::class);
        $store->putQuestion($owner, 'r', 'question:q', time() + 60, [$question]);
        $this->postJson('/agent/runs/r/answers/q', ['answers' => ['Wann?' => 'x']])->assertStatus(422)
            ->assertJsonPath('message', '„Wann?“ wurde nicht gefragt.');
        $this->postJson('/agent/runs/r/answers/q', ['answers' => ['Welche Farbe?' => '']])->assertStatus(422)
            ->assertJsonPath('message', 'Beantworten Sie „Welche Farbe?“ mit einem Text von 1 bis 10.000 Zeichen.');
    }

    public function testABusyServerSaysSoInTheLanguageOfTheApplication(): void
    {
        $this->app->setLocale('de');
        config(['agent-workers.stream.max_streams' => 1]);
        Agent::fake('One', 'Two');
        $open = $this->ask(['prompt' => 'Hello']);
        $this->ask(['prompt' => 'Hello'])->assertStatus(503)
            ->assertJsonPath('message', 'Der Server ist ausgelastet. Versuchen Sie es gleich noch einmal.');
        $open->streamedContent();
    }

    public function testABusyConversationSaysSoInTheLanguageOfTheApplication(): void
    {
        $this->app->setLocale('de');
        $this->asVisitor('Ada');
        Agent::fake('One', 'Two');
        $open = $this->ask(['prompt' => 'Hello', 'conversation' => self::UUID]);
        $busy = $this->ask(['prompt' => 'Hello', 'conversation' => self::UUID])->assertStatus(409);
        self::assertStringStartsWith('In dieser Unterhaltung wird gerade', $busy->json('message'));
        $open->streamedContent();
    }

    public function testALineThatTheApplicationHasPublishedCounts(): void
    {
        self::assertSame(0, Artisan::call('vendor:publish', ['--tag' => 'agent-workers-lang']));
        $file = $this->app->langPath() . '/vendor/agent-workers/en/messages.php';
        self::assertFileEquals(self::LANG . '/en/messages.php', $file);
        file_put_contents($file, "<?php return ['errors' => ['overloaded' => 'Come back later.']];");
        $this->failing('overloaded')->assertJsonPath('message', 'Come back later.');
        $this->failing('timeout', 'Too slow.')->assertJsonPath('message', 'Too slow.');
    }

    public function testALanguageThatHasNoLinesGetsEnglishOnes(): void
    {
        config(['app.fallback_locale' => 'fr']);
        $this->app->make('translator')->setFallback('fr');
        $this->app->setLocale('fr');
        $this->postJson('/agent/runs/r/abort')->assertJsonPath('message', 'There is no such run.');
        $this->failing('timeout', 'Too slow.')->assertJsonPath('message', 'Too slow.');
        $this->failing('brand_new', 'New.')->assertJsonPath('message', 'New.');
    }

    public function testTheApplicationGetsTheWordsForItsOwnViews(): void
    {
        $this->app->setLocale('de');
        Agent::fake(Script::error('billing'), Script::error('billing'));
        $words = '';
        Agent::chat('Hello')->onEvent(static function (Event $event) use (&$words): void {
            $words .= $event instanceof ErrorEvent ? Agent::words($event) : '';
        })->stream()->sendContent();
        ob_get_level() > 0 && ob_clean();
        self::assertStringStartsWith('Das Konto der Anwendung', $words);
        try {
            Agent::chat('Hello')->run();
        } catch (RunFailedException $failure) {
            self::assertSame($words, Agent::words($failure));
        }
    }

    private function failing(string $code, string $message = 'It failed.'): \Illuminate\Testing\TestResponse
    {
        Agent::fake(Script::error($code, $message, true));
        Route::post('/fail', static fn () => Agent::chat('Hello')->text());

        return $this->postJson('/fail');
    }

    /** @return array<string, string> */
    private static function lines(string $locale): array
    {
        return Arr::dot(require self::LANG . "/$locale/messages.php");
    }
}

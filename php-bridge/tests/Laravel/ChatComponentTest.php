<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use Illuminate\Auth\GenericUser;
use Illuminate\Contracts\View\Factory;
use Illuminate\Routing\Router;
use Illuminate\Session\Middleware\StartSession;
use Illuminate\View\ViewException;

/** `<x-agent-workers::chat />` in a view of an application. */
final class ChatComponentTest extends TestCase
{
    private const PUBLISHED = '/vendor/agent-workers/agent-chat-element.js';

    public function testItHasTheScriptOnceTheElementAndTheVisitorsToken(): void
    {
        $this->publish();
        $page = $this->page('<x-agent-workers::chat/> <x-agent-workers::chat endpoint="/task" runs="/task"/>');
        self::assertSame(1, substr_count($page, '<script'));
        self::assertMatchesRegularExpression(
            '#<script type="module" src="' . self::PUBLISHED . '\?id=[0-9a-f]{12}"></script>#',
            $page
        );
        self::assertSame(['/agent/chat', '/task'], array_column(self::elementsIn($page), 'endpoint'));
        [$chat, $task] = self::elementsIn($page);
        self::assertArrayNotHasKey('runs', $chat);
        self::assertSame('/task', $task['runs']);
        self::assertArrayHasKey('steer', $chat);
        self::assertMatchesRegularExpression('/^\w{40}$/', $chat['csrf-token']);
    }

    public function testItAsksTheGatewayWhereThereIsOne(): void
    {
        $page = fn (): array => self::elementsIn($this->page('<x-agent-workers::chat gateway script="/own.js"/>'))[0];
        self::assertSame('/agent/chat', $page()['endpoint']);
        self::assertArrayNotHasKey('token-endpoint', $page());
        config(['agent-workers.gateway.url' => 'https://agents.example/']);
        $runs = 'https://agents.example/v1/runs';
        $element = $page();
        self::assertSame(
            [$runs, $runs, '/agent/token'],
            [$element['endpoint'], $element['runs'], $element['token-endpoint']],
        );
    }

    public function testTheViewOfTheReadmeIsOne(): void
    {
        $this->publish();
        preg_match('/^```blade\n(.*?)^```$/ms', (string) file_get_contents(__DIR__ . '/../../README.md'), $found);
        [$chat, $task] = self::elementsIn($this->page($found[1]));
        self::assertSame(['/agent/chat', 'height: 40rem'], [$chat['endpoint'], $chat['style']]);
        self::assertSame(['/task', '/task'], [$task['endpoint'], $task['runs']]);
    }

    public function testItNamesTheVisitorSoThatTheNextOneInTheSameTabSeesNothingOfTheConversation(): void
    {
        $page = fn (): string => $this->page('<x-agent-workers::chat script="/own.js"/>');
        $visitorOf = static fn (): string => self::elementsIn($page())[0]['visitor'];
        $this->asVisitor('ada');
        $ada = $visitorOf();
        self::assertMatchesRegularExpression('/^[0-9a-f]{16}$/', $ada);
        self::assertSame($ada, $visitorOf());
        $this->actingAs(new GenericUser(['id' => 5]));
        self::assertNotSame($ada, $visitorOf());
    }

    public function testTheScriptComesFromWhereTheApplicationHasItsAssets(): void
    {
        $this->publish();
        $this->app->make('config')->set('app.asset_url', 'https://cdn.example.com');
        $this->app->forgetInstance('url');
        $page = $this->page('<x-agent-workers::chat/>');
        self::assertStringContainsString('src="https://cdn.example.com' . self::PUBLISHED . '?id=', $page);
    }

    public function testWhatElseIsSetGoesToTheElementAndNothingOfItBecomesMarkup(): void
    {
        $view = '<x-agent-workers::chat :steer="false" :label="$label" class="wide" nonce="n0nce" script="/own.js">'
            . '{{ $label }}</x-agent-workers::chat>';
        $page = $this->page($view, ['label' => '"><b>Ask</b>']);
        [$chat] = self::elementsIn($page);
        self::assertSame(['"><b>Ask</b>', 'wide'], [$chat['label'], $chat['class']]);
        self::assertArrayNotHasKey('steer', $chat);
        self::assertStringNotContainsString('<b>', $page);
        self::assertStringContainsString('<script type="module" src="/own.js" nonce="n0nce"></script>', $page);
    }

    public function testItSpeaksTheLanguageOfTheApplicationAndSaysWhatTheViewSetsInstead(): void
    {
        $wordsOf = fn (string $view, array $data = []): array
            => json_decode(self::elementsIn($this->page($view, $data))[0]['words'], true);
        $plain = '<x-agent-workers::chat script="/own.js"/>';
        self::assertSame('Send', $wordsOf($plain)['send']);
        $this->app->setLocale('de');
        self::assertSame('Senden', $wordsOf($plain)['send']);
        $own = $wordsOf(
            '<x-agent-workers::chat script="/own.js" :words="$words"/>',
            ['words' => ['send' => '"><b>Ab</b>']],
        );
        self::assertSame(['"><b>Ab</b>', 'Anhalten'], [$own['send'], $own['stop']]);
        $this->app->setLocale('fr');
        self::assertSame('Send', $wordsOf($plain)['send']);
    }

    public function testTheElementHasTheSameWordsInAPageWithoutLaravel(): void
    {
        foreach (['en', 'de'] as $language) {
            $own = (string) file_get_contents(__DIR__ . "/../../../packages/element/src/words/$language.json");
            self::assertSame(
                json_decode($own, true),
                (require __DIR__ . "/../../lang/$language/messages.php")['element'],
            );
        }
    }

    public function testWithoutASessionThereIsNoToken(): void
    {
        $page = $this->page('<x-agent-workers::chat script="/own.js"/>', [], []);
        self::assertSame([], array_intersect(['csrf-token', 'visitor'], array_keys(self::elementsIn($page)[0])));
    }

    public function testWhoHasNotPublishedTheScriptIsToldHow(): void
    {
        $this->withoutExceptionHandling();
        $this->expectException(ViewException::class);
        $this->expectExceptionMessage('php artisan vendor:publish --tag=agent-workers-assets');
        $this->page('<x-agent-workers::chat/>');
    }

    public function testLaravelsOwnTagPublishesItAnewAfterAnUpdate(): void
    {
        $this->publish();
        $script = $this->app->publicPath() . self::PUBLISHED;
        file_put_contents($script, 'old');
        $this->publish('laravel-assets', '--force');
        self::assertFileEquals(__DIR__ . '/../../resources/dist/agent-chat-element.js', $script);
    }

    private function publish(string $tag = 'agent-workers-assets', string ...$more): void
    {
        $this->artisan('vendor:publish', ['--tag' => $tag] + array_fill_keys($more, true))->assertExitCode(0)->run();
    }

    /**
     * @param array<string, mixed> $data
     * @param list<class-string>   $middleware
     */
    private function page(string $view, array $data = [], array $middleware = [StartSession::class]): string
    {
        $views = $this->directory() . '/views';
        is_dir($views) || mkdir($views);
        file_put_contents("$views/page.blade.php", $view);
        $factory = $this->app->make(Factory::class);
        $factory->addLocation($views);
        $this->app->make(Router::class)->get('page', static fn (): string => $factory->make('page', $data)->render())
            ->middleware($middleware);

        return (string) $this->get('/page')->assertOk()->getContent();
    }

    /** @return list<array<string, string>> the attributes of each element, as a browser reads them */
    private static function elementsIn(string $page): array
    {
        $document = new \DOMDocument();
        $document->loadHTML($page, LIBXML_NOERROR);
        $valueOf = static fn (\DOMAttr $attribute): string => $attribute->value;
        $attributesOf = static fn (\DOMElement $element): array
            => array_map($valueOf, iterator_to_array($element->attributes));

        return array_map($attributesOf, iterator_to_array($document->getElementsByTagName('agent-chat'), false));
    }
}

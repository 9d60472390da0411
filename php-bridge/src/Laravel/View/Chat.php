<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\View;

use AgentWorkers\Laravel\Gateway\Settings;
use AgentWorkers\Laravel\Http\Owner;
use AgentWorkers\Laravel\Words;
use Illuminate\Contracts\View\Factory;
use Illuminate\Contracts\View\View;
use Illuminate\View\Component;

/**
 * `<x-agent-workers::chat />`: a chat with an agent, with its script and the visitor's CSRF token. Other attributes,
 * such as `label`, `style` and `class`, and what is inside, go to the element.
 */
final class Chat extends Component
{
    /** Where `vendor:publish --tag=agent-workers-assets` puts the script, below `public/`. */
    public const PUBLISHED = 'vendor/agent-workers/agent-chat-element.js';

    /**
     * @param string      $endpoint the route that starts runs
     * @param string|null $runs     what the routes of its runs begin with; by default `runs` beside the endpoint, where
     *                              Agent::routes() has them
     * @param bool        $steer    whether what is sent while the agent works is a word to it
     * @param string|null $script   the address of the script; by default of the published one
     * @param string|null $nonce    of the page's Content-Security-Policy
     * @param bool        $gateway  whether runs are those of `gateway.url` of the configuration, if it has one
     * @param string      $tokens   the route that gives the page its tokens for that: Agent::gatewayRoutes()
     * @param array<string, string> $words in place of what the element says in the language of the application, by
     *                              the names of `element` in lang/…/messages.php
     */
    public function __construct(
        public string $endpoint = '/agent/chat',
        public ?string $runs = null,
        public bool $steer = true,
        public ?string $script = null,
        public ?string $nonce = null,
        public array $words = [],
        public bool $gateway = false,
        public string $tokens = '/agent/token',
    ) {
        $this->script ??= self::published();
    }

    public function render(): View
    {
        $url = $this->gateway ? app(Settings::class)->url() : null;
        $element = [
            'endpoint' => $url === null ? $this->endpoint : "$url/v1/runs",
            'runs' => $url === null ? $this->runs : "$url/v1/runs",
            'token-endpoint' => $url === null ? null : $this->tokens,
            'steer' => $this->steer,
            // A page without a session has none to show.
            'csrf-token' => request()->hasSession() ? csrf_token() : null,
            'words' => json_encode(
                $this->words + Words::group('element'),
                JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE,
            ),
            'visitor' => substr((string) Owner::of(request()), 0, 16) ?: null,
        ];

        return app(Factory::class)->make('agent-workers::chat', ['element' => $element]);
    }

    /** Has another address after each update, so that browsers fetch it anew. */
    private static function published(): string
    {
        $file = public_path(self::PUBLISHED);
        if (!is_file($file)) {
            throw new \RuntimeException('<x-agent-workers::chat> needs its script below public/: '
                . 'php artisan vendor:publish --tag=agent-workers-assets');
        }

        // Not the whole address: behind a proxy, a server may not know its own port and scheme.
        $address = config('app.asset_url') ? asset(self::PUBLISHED) : request()->getBasePath() . '/' . self::PUBLISHED;

        return $address . '?id=' . substr((string) md5_file($file), 0, 12);
    }
}

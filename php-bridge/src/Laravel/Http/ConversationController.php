<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Http;

use AgentWorkers\Laravel\Agents;
use AgentWorkers\Laravel\Events\Announcer;
use AgentWorkers\Laravel\Events\ConversationCreated;
use AgentWorkers\Laravel\Events\ConversationDeleted;
use AgentWorkers\Laravel\Events\ConversationRenamed;
use AgentWorkers\Laravel\Records\AgentConversation;
use AgentWorkers\Laravel\Records\AgentRun;
use AgentWorkers\Laravel\Records\ConversationPages;
use AgentWorkers\Laravel\Records\ConversationScope;
use AgentWorkers\Laravel\Records\History;
use AgentWorkers\Laravel\Records\OfferedTools;
use AgentWorkers\Laravel\Records\Removal;
use AgentWorkers\Laravel\Records\Settings;
use AgentWorkers\Laravel\Records\UtcTime;
use AgentWorkers\Laravel\Stream\Store;
use AgentWorkers\Laravel\Words;
use Illuminate\Http\JsonResponse;
use Illuminate\Http\Request;
use Illuminate\Http\Response;
use Illuminate\Support\Str;

/** The recorded conversations of whoever asks. Somebody else's is as one that there is not. */
final class ConversationController
{
    private const AT_ONCE = 50;
    private const MOST = 100;
    private const HEADERS = ['Cache-Control' => 'no-store, private'];

    public function __construct(
        private readonly ConversationScope $scope,
        private readonly Settings $settings,
        private readonly Announcer $announcer,
        private readonly Agents $agents,
    ) {
    }

    public function index(Request $request): JsonResponse
    {
        $query = $this->settings->isOn() ? $this->scope->of($request)?->answeredBy($this->program($request)) : null;
        [$found, $next] = $query === null
            ? [[], null]
            : ConversationPages::latest($query, 'updated_at', self::before($request), self::number($request));
        $body = ['conversations' => array_map(History::summary(...), $found), 'next' => $next];

        return new JsonResponse($body, 200, self::HEADERS);
    }

    public function store(ConversationTitle $request): JsonResponse
    {
        $mark = $this->settings->isOn() ? $this->scope->mark($request) : null;
        if ($mark === null) {
            return new JsonResponse(['message' => Words::of('refused.no_conversations')], 403);
        }
        $now = UtcTime::now();
        $conversation = AgentConversation::query()->create($mark + [
            'id' => (string) Str::uuid(),
            'title' => $request->title(),
            'worker' => $this->program($request),
            'created_at' => $now,
            'updated_at' => $now,
        ]);
        $this->announcer->conversation(new ConversationCreated($conversation->id));

        return new JsonResponse(['conversation' => History::summary($conversation)], 201, self::HEADERS);
    }

    public function show(Request $request, OfferedTools $tools, string $conversation): JsonResponse
    {
        $found = $this->find($request, $conversation);
        if ($found === null) {
            return self::missing();
        }
        $query = AgentRun::query()->where('conversation_id', $found->id);
        [$before, $number] = [self::before($request), self::number($request)];
        [$runs, $next] = ConversationPages::latest($query, 'started_at', $before, $number);

        return new JsonResponse([
            'conversation' => History::summary($found),
            'tools_changed' => $tools->changed($found, (string) $request->route('worker')),
            'runs' => History::runs($runs),
            'next' => $next,
        ], 200, self::HEADERS, JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE);
    }

    public function update(ConversationTitle $request, string $conversation): JsonResponse
    {
        $found = $this->find($request, $conversation);
        if ($found === null) {
            return self::missing();
        }
        $found->update(['title' => (string) $request->title()]);
        $this->announcer->conversation(new ConversationRenamed($found->id, (string) $found->title));

        return new JsonResponse(['conversation' => History::summary($found)], 200, self::HEADERS);
    }

    public function destroy(
        Request $request,
        Removal $removal,
        Store $store,
        string $conversation,
    ): Response|JsonResponse {
        $found = $this->find($request, $conversation);
        if ($found === null) {
            return self::missing();
        }
        if (($store->lease($found->id)['ending'] ?? true) === false) {
            return new JsonResponse(['message' => Words::of('refused.answering'), 'code' => 'session_busy'], 409);
        }
        $session = $removal->conversation($found);
        array_map($store->forgetConversation(...), array_filter([$found->id, $session]));
        $this->announcer->conversation(new ConversationDeleted($found->id, $session));

        return new Response('', 204);
    }

    /** The program of the worker that answers here. */
    private function program(Request $request): string
    {
        return basename($this->agents->programOf((string) $request->route('worker')));
    }

    private function find(Request $request, string $id): ?AgentConversation
    {
        return $this->settings->isOn() ? $this->scope->of($request)?->whereKey($id)->first() : null;
    }

    private static function missing(): JsonResponse
    {
        return new JsonResponse(['message' => Words::of('refused.no_conversation')], 404);
    }

    private static function before(Request $request): ?string
    {
        $before = $request->query('before');

        return is_string($before) ? $before : null;
    }

    private static function number(Request $request): int
    {
        $number = $request->query('limit');

        return is_numeric($number) ? min(self::MOST, max(1, (int) $number)) : self::AT_ONCE;
    }
}

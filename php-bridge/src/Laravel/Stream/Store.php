<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Stream;

use AgentWorkers\Shown;
use Illuminate\Cache\FileStore as LaravelFileStore;
use Illuminate\Cache\Repository as CacheRepository;
use Illuminate\Contracts\Cache\Factory;
use Illuminate\Contracts\Cache\Repository;
use Illuminate\Contracts\Config\Repository as Config;

/**
 * The cache, as runs and conversations use it.
 *
 * A run has a head and pages. The head is {first, next, ended, beat, attempt}: the numbers of its pages, whether its
 * terminal event is there, when it was last known to be alive, and which attempt of the run the pages are of: those of
 * an earlier one are forgotten. A page is a list of events as JSON.
 *
 * @internal
 */
final class Store
{
    private const PREFIX = 'agent-workers';
    /** Seconds for which a conversation's lease outlives a PHP process that was killed. */
    private const LEASE_S = 10;
    /** Seconds without a beat after which the PHP process that held a run is taken for killed. */
    private const LOST_S = 15.0;
    private const LONGEST_RUN_S = 7 * 24 * 3600;

    private readonly Repository $cache;
    private readonly int $ttl;
    private readonly int $conversationTtl;
    public readonly int $maxBytes;

    public function __construct(Factory $caches, Config $config)
    {
        $this->cache = self::cache($caches, $config);
        $this->ttl = (int) $config->get('agent-workers.cache.ttl', 600);
        $this->conversationTtl = (int) $config->get('agent-workers.cache.conversation_ttl', 2_592_000);
        $this->maxBytes = (int) $config->get('agent-workers.cache.max_bytes', 4_194_304);
    }

    public static function cache(Factory $caches, Config $config): Repository
    {
        $cache = $caches->store($config->get('agent-workers.cache.store'));
        $files = $cache->getStore();

        return $files instanceof LaravelFileStore ? new CacheRepository(FileStore::in($files)) : $cache;
    }

    /** @return array{first: int, next: int, ended: bool, beat: float, attempt: int}|null */
    public function head(string $owner, string $run): ?array
    {
        $head = $this->cache->get($this->key($owner, $run));

        return $head === null ? null : $head + ['attempt' => 1];
    }

    /** @param array{first: int, next: int, ended: bool, beat: float, attempt: int} $head */
    public function putHead(string $owner, string $run, array $head): void
    {
        $this->cache->put($this->key($owner, $run), $head, $this->ttl);
    }

    /** Remembers whose a run is, for those who may follow somebody else's. */
    public function putOwner(string $run, string $owner): void
    {
        $this->cache->put($this->ownerKey($run), ['owner' => $owner], $this->ttl + self::LONGEST_RUN_S);
    }

    public function ownerOf(string $run): ?string
    {
        return $this->cache->get($this->ownerKey($run))['owner'] ?? null;
    }

    /** @param array{beat: float} $head */
    public static function isLost(array $head): bool
    {
        return microtime(true) - $head['beat'] > self::LOST_S;
    }

    /** Whether nobody holds the run any more: it has ended, or its PHP process was killed. */
    public function isOver(string $owner, string $run): bool
    {
        $head = $this->head($owner, $run);

        return $head !== null && ($head['ended'] || self::isLost($head));
    }

    /** @return list<string>|null */
    public function page(string $owner, string $run, int $number): ?array
    {
        return $this->cache->get($this->key($owner, $run) . ":$number");
    }

    /** @param list<string> $events */
    public function putPage(string $owner, string $run, int $number, array $events): void
    {
        $this->cache->put($this->key($owner, $run) . ":$number", $events, $this->ttl);
    }

    public function forgetPage(string $owner, string $run, int $number): void
    {
        $this->cache->forget($this->key($owner, $run) . ":$number");
    }

    /** When the question expires, as a Unix time; null where there is none. */
    public function question(string $owner, string $run, string $permission): ?int
    {
        return $this->cache->get($this->questionKey($owner, $run, $permission))['expires'] ?? null;
    }

    /**
     * @param list<array<string, mixed>> $items what is asked, if it is the agent that asks
     * @param Shown|null $shown where it is to be signed
     */
    public function putQuestion(
        string $owner,
        string $run,
        string $permission,
        int $expiry,
        array $items = [],
        ?Shown $shown = null,
    ): void {
        // A number alone comes back from Redis as a string.
        $state = ['expires' => $expiry, 'items' => $items] + ($shown === null ? [] : ['shown' => $shown->toArray()]);
        $this->cache->put($this->questionKey($owner, $run, $permission), $state, $this->beyond($expiry));
    }

    /** What is to be signed; null where nothing is. */
    public function shown(string $owner, string $run, string $question): ?Shown
    {
        $kept = $this->cache->get($this->questionKey($owner, $run, $question))['shown'] ?? null;

        return $kept === null ? null : Shown::fromArray($kept);
    }

    /** @return list<array<string, mixed>> what the agent asks */
    public function questionItems(string $owner, string $run, string $question): array
    {
        return $this->cache->get($this->questionKey($owner, $run, $question))['items'] ?? [];
    }

    /** @return array<string, mixed>|null */
    public function answer(string $owner, string $run, string $permission): ?array
    {
        return $this->cache->get($this->questionKey($owner, $run, $permission) . ':answer');
    }

    /**
     * If two processes call it at the same time, one of them gets true.
     *
     * @param array<string, mixed> $answer
     */
    public function addAnswer(string $owner, string $run, string $permission, int $expiry, array $answer): bool
    {
        $key = $this->questionKey($owner, $run, $permission) . ':answer';

        return $this->cache->add($key, $answer, $this->beyond($expiry));
    }

    /** @return array{owner: string, begun: bool, engine?: string}|null */
    public function conversation(string $id): ?array
    {
        return $this->cache->get(self::PREFIX . ":conversation:$id");
    }

    /** @param array{owner: string, begun: bool, engine?: string} $state */
    public function putConversation(string $id, array $state): void
    {
        $this->cache->put(self::PREFIX . ":conversation:$id", $state, $this->conversationTtl);
    }

    /**
     * If two processes call it at the same time, one of them gets true.
     *
     * @param array{owner: string, begun: bool, engine?: string} $state
     */
    public function claimConversation(string $id, array $state): bool
    {
        return $this->cache->add(self::PREFIX . ":conversation:$id", $state, $this->conversationTtl);
    }

    public function forgetConversation(string $id): void
    {
        $this->cache->forget(self::PREFIX . ":conversation:$id");
        $this->putNotes($id, []);
    }

    /** @return list<array<string, mixed>> what people ran, and the agent has not been told */
    public function notes(string $conversation): array
    {
        return $this->cache->get(self::PREFIX . ":notes:$conversation") ?? [];
    }

    /** @param list<array<string, mixed>> $notes */
    public function putNotes(string $conversation, array $notes): void
    {
        $key = self::PREFIX . ":notes:$conversation";
        $notes === [] ? $this->cache->forget($key) : $this->cache->put($key, $notes, $this->conversationTtl);
    }

    /** If two processes call it at the same time, one of them gets true. */
    public function takeLease(string $conversation, string $token): bool
    {
        return $this->cache->add($this->leaseKey($conversation), self::held($token, false), self::LEASE_S);
    }

    /** @return array{token: string, ending: bool, fleet?: int}|null who holds the conversation */
    public function lease(string $conversation): ?array
    {
        return $this->cache->get($this->leaseKey($conversation));
    }

    /** Holds the conversation for a run of the fleet, which no process of the application renews. */
    public function lendLease(string $conversation, string $run): void
    {
        $held = self::held($run, false) + ['fleet' => time()];
        $this->cache->put($this->leaseKey($conversation), $held, self::LONGEST_RUN_S);
    }

    public function holdLease(string $conversation, string $token, bool $isEnding, int $longerS = 0): void
    {
        $this->cache->put($this->leaseKey($conversation), self::held($token, $isEnding), self::LEASE_S + $longerS);
    }

    public function endLease(string $conversation): void
    {
        $this->cache->forget($this->leaseKey($conversation));
    }

    /** Asks the process that holds the run to end it. */
    public function askAbort(string $owner, string $run): void
    {
        $this->cache->put($this->key($owner, $run) . ':abort', ['asked' => time()], $this->ttl);
    }

    public function forgetAbort(string $owner, string $run): void
    {
        $this->cache->forget($this->key($owner, $run) . ':abort');
    }

    public function isAbortAsked(string $owner, string $run): bool
    {
        return $this->cache->get($this->key($owner, $run) . ':abort') !== null;
    }

    /**
     * Adds a word to the run's agent. If two processes add the same one, one of them gets true.
     *
     * @param array{id: string, text: string, actor: string|null} $word
     */
    public function addWord(string $owner, string $run, int $number, array $word): bool
    {
        return $this->cache->add($this->key($owner, $run) . ":word:$number", $word, $this->ttl);
    }

    /** @return array{id: string, text: string, actor: string|null}|null */
    public function word(string $owner, string $run, int $number): ?array
    {
        return $this->cache->get($this->key($owner, $run) . ":word:$number");
    }

    /** Either the run's process takes the word, or its sender withdraws it: the first one gets true. */
    public function settleWord(string $owner, string $run, string $id, bool $isTaken): bool
    {
        return $this->cache->add($this->key($owner, $run) . ":word:$id", ['taken' => $isTaken], $this->ttl);
    }

    public function isWordTaken(string $owner, string $run, string $id): bool
    {
        return ($this->cache->get($this->key($owner, $run) . ":word:$id")['taken'] ?? false) === true;
    }

    private function leaseKey(string $conversation): string
    {
        return self::PREFIX . ":lease:$conversation";
    }

    /** @return array{token: string, ending: bool} */
    private static function held(string $token, bool $isEnding): array
    {
        return ['token' => $token, 'ending' => $isEnding];
    }

    private function questionKey(string $owner, string $run, string $permission): string
    {
        return self::PREFIX . ':permission:' . hash('sha256', "$owner|$run|$permission"); // keys of 250 bytes at most
    }

    /** Seconds to keep it: longer than it is open, so that an expired question is not taken for an unknown one. */
    private function beyond(int $expiry): int
    {
        return max(0, $expiry - time()) + $this->ttl;
    }

    private function ownerKey(string $run): string
    {
        return self::PREFIX . ':owner:' . hash('sha256', $run);
    }

    private function key(string $owner, string $run): string
    {
        return self::PREFIX . ":run:$owner:" . hash('sha256', $run);
    }
}

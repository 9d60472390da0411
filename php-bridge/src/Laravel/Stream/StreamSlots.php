<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Stream;

use AgentWorkers\Laravel\Words;
use Illuminate\Contracts\Config\Repository;
use Illuminate\Contracts\Foundation\Application;
use Illuminate\Http\Exceptions\HttpResponseException;
use Illuminate\Http\JsonResponse;
use Psr\Log\LoggerInterface;

/**
 * Counts the streams of this host, each of which occupies a PHP process. When all slots are taken, the next stream is
 * refused at once instead of waiting. A slot is a locked file: the kernel unlocks it however its process ends.
 *
 * @internal
 */
final class StreamSlots
{
    private const RETRY_AFTER_S = 5;
    /** For this process alone: the agent must not inherit the lock. */
    private const MODE = 'ce';

    public function __construct(
        private readonly Application $app,
        private readonly Repository $config,
        private readonly LoggerInterface $logger,
    ) {
    }

    /**
     * @return resource|null to be kept while the stream is open; null where streams are not counted
     *
     * @throws HttpResponseException all slots are taken
     */
    public function take(): mixed
    {
        $slots = (int) $this->config->get('agent-workers.stream.max_streams', 0);
        $directory = $this->app->storagePath() . '/framework/agent-streams';
        if ($slots <= 0) {
            return null;
        }
        if (!is_dir($directory) && !@mkdir($directory, 0700, true) && !is_dir($directory)) {
            $this->logger->warning("max_streams has no effect: the directory $directory cannot be created.");

            return null;
        }
        for ($slot = 1; $slot <= $slots; $slot++) {
            $file = @fopen("$directory/$slot", self::MODE);
            if ($file === false) {
                $this->logger->warning("max_streams has no effect: $directory/$slot cannot be opened for writing.");

                return null;
            }
            if (flock($file, LOCK_EX | LOCK_NB)) {
                return $file;
            }
        }
        throw new HttpResponseException(new JsonResponse(
            ['message' => Words::of('refused.busy'), 'code' => 'server_busy', 'retryable' => true],
            503,
            ['Retry-After' => (string) self::RETRY_AFTER_S],
        ));
    }
}

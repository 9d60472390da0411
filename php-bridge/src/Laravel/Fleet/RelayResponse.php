<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Fleet;

use AgentWorkers\Event\Event;
use AgentWorkers\Fleet\EntryId;
use AgentWorkers\Fleet\JobStatus;
use AgentWorkers\FleetRunner;
use AgentWorkers\Laravel\Http\FoundRun;
use AgentWorkers\Laravel\Registry;
use AgentWorkers\Laravel\Stream\HiddenFolder;
use AgentWorkers\Laravel\Stream\ShownEncoder;
use AgentWorkers\Laravel\Stream\StreamSlots;
use AgentWorkers\Run;
use AgentWorkers\Sse\Emitter;
use AgentWorkers\Sse\Format;
use AgentWorkers\Sse\NativeEncoder;
use Illuminate\Contracts\Config\Repository;
use Illuminate\Contracts\Container\Container;
use Psr\Log\LoggerInterface;
use Symfony\Component\HttpFoundation\Response;
use Symfony\Component\HttpFoundation\StreamedResponse;

/**
 * Makes a response that relays a run of the fleet from Redis, to as many as may follow it. A browser that goes stops
 * nothing.
 *
 * @internal
 */
final class RelayResponse
{
    public function __construct(
        private readonly Container $app,
        private readonly FleetAccess $access,
        private readonly StreamSlots $slots,
        private readonly Registry $registry,
        private readonly Repository $config,
        private readonly LoggerInterface $logger,
        private readonly JobRecords $records,
    ) {
    }

    /** @param EntryId $after the last event that the browser has */
    public function of(FoundRun $found, JobStatus $job, EntryId $after, Format $format): Response
    {
        if ($job->isOver() && !$this->access->fleet()->hasAfter($job->run, $after)) {
            return new Response('', 204); // tells EventSource not to come again
        }
        $slot = $this->slots->take();
        $send = function () use ($found, $job, $after, $format, &$slot): void {
            $this->emitter($format, $job, $after)->emit($this->run($found, $job, $after));
            $slot = null;
        };

        return new StreamedResponse($send, 200, Emitter::HEADERS + Format::headersOf($format) + [
            'X-Agent-Run' => $job->run,
        ]);
    }

    private function run(FoundRun $found, JobStatus $job, EntryId $after): Run
    {
        $fleet = $this->access->fleet();
        $request = $job->request();
        $runner = (new FleetRunner($fleet))->logger($this->logger);
        if (!$found->isOwn) {
            // A viewer's process runs no tools for the owner.
            return $this->records->follow($runner->attach($request, (string) $after), $job, $after);
        }
        $handlers = $this->registry->handlers($request, $this->app);
        $run = $runner->attach($request->handledBy($handlers), (string) $after);
        $this->records->follow($run, $job, $after);

        return $handlers === [] ? $run : $run->expect(...$fleet->openCalls($job->run, $after));
    }

    private function emitter(Format $format, JobStatus $job, EntryId $after): Emitter
    {
        $folder = $job->kept('hidden');
        $hidden = $folder === null ? null : new HiddenFolder($folder);
        $show = static fn (Event $event): Event => $hidden === null ? $event : $hidden->of($event);
        $heartbeat = (float) $this->config->get('agent-workers.stream.heartbeat', 0.4);

        $isNative = $format === Format::Native;
        $encoder = $isNative ? new NativeEncoder(begun: max(1, $after->attempt)) : $format->encoder();

        return new Emitter(new ShownEncoder($encoder, $show), $heartbeat, $this->logger);
    }
}

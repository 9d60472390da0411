<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Broadcast;

use AgentWorkers\Event\Event;
use AgentWorkers\Event\EventFactory;
use AgentWorkers\Laravel\Stream\HiddenFolder;
use AgentWorkers\Laravel\Words;
use AgentWorkers\Run;
use AgentWorkers\Run\Ending;
use Illuminate\Contracts\Broadcasting\Factory;
use Illuminate\Contracts\Bus\Dispatcher;
use Psr\Log\LoggerInterface;

/**
 * Broadcasts the events of a run on channels. If the broadcaster fails, the run goes on.
 *
 * @internal
 */
final class Broadcasts
{
    public const NAME = 'agent.event';
    private const TRIES = 5;
    private const PAUSE_US = 200_000;

    public function __construct(
        private readonly Factory $broadcasters,
        private readonly Dispatcher $jobs,
        private readonly LoggerInterface $logger,
    ) {
    }

    /**
     * Broadcasts a run that this process reads, up to a terminal event, whoever stops it. Where the run goes on when
     * this process has left it, a job goes on with it.
     *
     * @param list<string> $channels
     * @param HiddenFolder|null $hidden what nobody is told
     */
    public function follow(Run $run, array $channels, ?HiddenFolder $hidden = null): void
    {
        $frames = $this->frames($run->id, $channels);
        $last = null;
        $add = static function (Event $event) use ($frames, $hidden, &$last): void {
            $last = $event;
            $frames->add(self::shown($event, $hidden));
        };
        $run->onEvent($add)->onTick($frames->tick(...));
        $run->onEnd(function () use ($run, $channels, $frames, $add, &$last): void {
            if ($run->isLeft()) {
                $frames->flush();
                $this->jobs->dispatch(new BroadcastRun($run->id, $channels, $frames->place()));
            } elseif ($last?->isTerminal() !== true) {
                $add(EventFactory::compose($run->id, ($last->seq ?? 0) + 1, 'aborted', Ending::stopped()));
            }
        });
    }

    /** @param list<string> $channels */
    public function frames(string $run, array $channels, int $attempt = 1): Frames
    {
        return new Frames(fn (array $frame) => $this->send($run, $channels, $frame), $attempt);
    }

    public static function shown(Event $event, ?HiddenFolder $hidden): Event
    {
        $said = Words::ofOurs($event);

        return $hidden === null ? $said : $hidden->of($said);
    }

    /**
     * @param list<string> $channels
     * @param array<string, mixed> $frame
     */
    private function send(string $run, array $channels, array $frame): void
    {
        $tries = in_array($frame['type'], Event::TERMINAL, true) ? self::TRIES : 1;
        for ($try = 1; $try <= $tries; $try++) {
            try {
                $this->broadcasters->connection()->broadcast($channels, self::NAME, $frame);

                return;
            } catch (\Throwable $error) {
                $context = ['run' => $run, 'exception' => $error];
                $this->logger->warning('An event of an agent run was not broadcast: ' . $error->getMessage(), $context);
                $try < $tries && usleep(self::PAUSE_US);
            }
        }
    }
}

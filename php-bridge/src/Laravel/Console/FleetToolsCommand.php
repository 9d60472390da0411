<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Console;

use AgentWorkers\Exception\FleetException;
use AgentWorkers\Fleet\ToolCalls;
use AgentWorkers\Laravel\Fleet\FleetAccess;
use AgentWorkers\Laravel\Fleet\ToolService;
use Illuminate\Console\Command;
use Illuminate\Contracts\Container\Container;
use Psr\Log\LoggerInterface;

final class FleetToolsCommand extends Command
{
    private const BLOCK_MS = 1_000;
    /** Seconds after which it looks for calls that another process has left. */
    private const SWEEP_S = 10.0;
    private const PAUSE_S = 1;

    /** @var string */
    protected $signature = 'agent:fleet-tools
        {--group= : Name of the consumer group, instead of one that is named for the application}
        {--once : End when no call waits}';

    /** @var string */
    protected $description = 'Run the application\'s tools for agents of the fleet that nobody streams';

    private bool $isStopping = false;
    private float $swept = 0.0;

    public function handle(FleetAccess $access, Container $app, LoggerInterface $logger): int
    {
        [$this->isStopping, $this->swept] = [false, 0.0];
        $this->endOnSignal();
        $consumer = gethostname() . '-' . getmypid();
        $calls = new ToolCalls($access->fleet(), (string) ($this->option('group') ?: $access->toolGroup()));
        $this->info("Runs tools of the fleet as $consumer.");
        $isOpen = false;
        while (!$this->isStopping) {
            try {
                $isOpen || $calls->open();
                $isOpen = true;
                $isIdle = !$this->step($app, $calls, $consumer);
            } catch (FleetException $error) {
                $logger->warning($error->getMessage(), ['exception' => $error]);
                $isOpen = false; // Redis may come back without the group
                sleep(self::PAUSE_S);
                continue;
            }
            if ($isIdle && $this->option('once')) {
                break;
            }
        }
        try {
            $calls->leave($consumer);
        } catch (FleetException) {
            // Who comes next takes over what is left.
        }

        return self::SUCCESS;
    }

    private function step(Container $app, ToolCalls $calls, string $consumer): bool
    {
        $isSweep = microtime(true) - $this->swept > self::SWEEP_S;
        $this->swept = $isSweep ? microtime(true) : $this->swept;
        $entries = $isSweep ? $calls->abandoned($consumer) : [];
        $isAbandoned = $entries !== [];
        $entries = $entries ?: $calls->next($consumer, $this->option('once') ? 1 : self::BLOCK_MS);
        foreach ($entries as $id => $entry) {
            // Each call has services of its own, as each request has.
            method_exists($app, 'forgetScopedInstances') && $app->forgetScopedInstances();
            $app->make(ToolService::class)->serve($calls, $entry, $isAbandoned) && $calls->done((string) $id);
            if ($this->isStopping) {
                break; // the rest is another process's
            }
        }

        return $entries !== [];
    }

    /** What is being done is done to its end. Without pcntl a signal ends the process, and another one takes over. */
    private function endOnSignal(): void
    {
        if (!function_exists('pcntl_async_signals')) {
            return;
        }
        pcntl_async_signals(true);
        foreach ([SIGTERM, SIGINT] as $signal) {
            pcntl_signal($signal, function (): void {
                $this->isStopping = true;
            });
        }
    }
}

<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Console;

use AgentWorkers\Event\Aborted;
use AgentWorkers\Event\Delta;
use AgentWorkers\Event\Discard;
use AgentWorkers\Event\Done;
use AgentWorkers\Event\ErrorEvent;
use AgentWorkers\Event\Event;
use AgentWorkers\Event\Notice;
use AgentWorkers\Event\Session;
use AgentWorkers\Laravel\Agents;
use AgentWorkers\Request;
use AgentWorkers\Run;
use Illuminate\Console\Command;
use Symfony\Component\Console\Formatter\OutputFormatter;
use Symfony\Component\Console\Output\OutputInterface;

final class ChatCommand extends Command
{
    /** @var string */
    protected $signature = 'agent:chat
        {prompt? : What to ask; without it, a conversation begins}
        {--worker=chat : The name of a worker in config/agent-workers.php}';

    /** @var string */
    protected $description = 'Talk with an agent in the terminal';

    private ?string $session = null;
    /** The session to fall back to where the latest run's cannot be gone on with. */
    private ?string $saved = null;

    public function handle(Agents $agents): int
    {
        $prompt = $this->argument('prompt');
        if ($prompt !== null) {
            return $this->say($agents, $prompt);
        }
        $status = self::SUCCESS;
        while (($prompt = (string) $this->ask('You')) !== '') {
            $status = $this->say($agents, $prompt);
        }

        return $status;
    }

    private function say(Agents $agents, string $prompt): int
    {
        $session = $this->saved = $this->session;
        $pending = $agents->worker((string) $this->option('worker'), $prompt);
        if ($session !== null) {
            $pending->configure(static fn (Request $request): Request => $request->session(resume: $session));
        }
        $run = $pending->events();

        return Interruption::aborts($run, fn (): int => ExitCode::of($run, $this->follow($run)));
    }

    private function follow(Run $run): ?Event
    {
        $event = null;
        foreach ($run as $event) {
            $this->show($event);
        }

        return $event;
    }

    private function show(Event $event): void
    {
        match (true) {
            $event instanceof Session => $this->session = $event->sessionId,
            $event instanceof Delta => $this->put($event->text),
            $event instanceof Discard => $this->remark('(The answer begins anew.)'),
            $event instanceof Notice => $this->heed($event),
            $event instanceof Done => $this->output->newLine(),
            $event instanceof Aborted => $this->remark('Stopped.'),
            $event instanceof ErrorEvent => $this->failed($event),
            default => null,
        };
    }

    private function heed(Notice $notice): void
    {
        if ($notice->code === 'session_not_saved') {
            $this->session = $this->saved;
        }
        $this->remark("({$notice->message})");
    }

    private function put(string $text): void
    {
        // Raw: no tag in it means anything.
        $this->output->write(self::printable($text), false, OutputInterface::OUTPUT_RAW);
    }

    private function remark(string $text): void
    {
        $this->output->newLine();
        $this->comment(OutputFormatter::escape(self::printable($text)));
    }

    private function failed(ErrorEvent $event): void
    {
        $this->output->newLine();
        $this->error(OutputFormatter::escape(self::printable($event->message) . " ({$event->code})"));
        foreach ($event->details ?? [] as $problem) {
            $this->line(OutputFormatter::escape(self::printable(trim("{$problem['pointer']} {$problem['message']}"))));
        }
    }

    /** Without control characters: an answer shall not steer the terminal. */
    private static function printable(string $text): string
    {
        return preg_replace('/[^\P{Cc}\n\t]/u', '', $text) ?? '';
    }
}

<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Console;

use AgentWorkers\Laravel\Records\AgentConversation;
use AgentWorkers\Laravel\Records\AgentRun;
use Illuminate\Console\Command;
use Symfony\Component\Console\Output\OutputInterface;

final class SessionCommand extends Command
{
    use TellsErrors;

    /** @var string */
    protected $signature = 'agent:session
        {id : The id of a recorded conversation, or of its session}';

    /** @var string */
    protected $description = 'Show what an agent was asked, did and cost in a conversation';

    public function handle(): int
    {
        $id = (string) $this->argument('id');
        $found = AgentConversation::query()->find($id)
            ?? AgentConversation::query()->where('session_id', $id)->orderByDesc('updated_at')->first();
        if ($found === null) {
            return $this->refuse("No conversation $id is recorded.");
        }
        $runs = $found->runs()->with(['messages', 'events', 'usage'])->get();
        $cost = $runs->sum(static fn (AgentRun $run): float => (float) $run->cost_usd);
        $this->say("$found->id  " . ($found->title ?? '(no title)'));
        $this->say(sprintf('  owner: %s  runs: %d  $%.4f', $found->owner ?? 'nobody', $runs->count(), $cost));
        foreach ($runs as $run) {
            $this->say('');
            array_map($this->say(...), Timeline::of($run));
        }

        return self::SUCCESS;
    }

    /** As it is: what was said may look like a tag of the console. */
    private function say(string $line): void
    {
        $this->output->writeln($line, OutputInterface::OUTPUT_RAW);
    }
}

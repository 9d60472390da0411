<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Console;

use AgentWorkers\Event\Aborted;
use AgentWorkers\Event\Done;
use AgentWorkers\Event\ErrorEvent;
use AgentWorkers\Event\Event;
use AgentWorkers\Exception\InvalidArgumentException;
use AgentWorkers\Laravel\Agents;
use AgentWorkers\Request;
use AgentWorkers\Run;
use Illuminate\Console\Command;
use Symfony\Component\Console\Output\OutputInterface;

final class SkillCommand extends Command
{
    use TellsErrors;

    private const JSON = JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR;

    /** @var string */
    protected $signature = 'agent:skill
        {name : The name of a skill: agent:skills lists them}
        {file=- : A request as JSON, {"input": {…}}; - is stdin}';

    /** @var string */
    protected $description = 'Run a skill; write its output as JSON and exit as the worker does';

    public function handle(Agents $agents): int
    {
        try {
            $given = Request::fromJson($this->read((string) $this->argument('file')))->toArray();
        } catch (InvalidArgumentException $error) {
            return $this->refuse($error->getMessage());
        }
        $own = ['skill' => (string) $this->argument('name')];
        $run = $agents->skill($own['skill'], new \stdClass())->configure(static fn (Request $request): Request
            => Request::fromArray($own + $given + array_diff_key($request->toArray(), ['input' => true])))->events();

        return Interruption::aborts($run, fn (): int => $this->follow($run));
    }

    private function follow(Run $run): int
    {
        $event = null;
        foreach ($run as $event) {
            $this->tell($event);
        }

        return ExitCode::of($run, $event);
    }

    private function tell(Event $event): void
    {
        if ($event instanceof Done) {
            $output = ((array) $event->jsonSerialize())['output'] ?? null;
            $this->output->write(json_encode($output, self::JSON) . "\n", false, OutputInterface::OUTPUT_RAW);
        } elseif ($event instanceof ErrorEvent) {
            $problems = array_map(self::inWords(...), $event->details ?? []);
            $this->onStderr("$event->message ($event->code)" . implode('', $problems));
        } elseif ($event instanceof Aborted) {
            $this->onStderr("Stopped ($event->reason).");
        }
    }

    /** @param array<string, string> $problem */
    private static function inWords(array $problem): string
    {
        $near = isset($problem['did_you_mean']) ? "; did you mean {$problem['did_you_mean']}?" : '';

        return "\n  " . ($problem['pointer'] ?: '/') . " {$problem['message']}$near";
    }
}

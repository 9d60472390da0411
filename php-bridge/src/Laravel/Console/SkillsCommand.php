<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Console;

use AgentWorkers\Laravel\Agents;
use AgentWorkers\PoolRunner;
use AgentWorkers\ProcessRunner;
use Illuminate\Console\Command;
use Symfony\Component\Console\Formatter\OutputFormatter;
use Symfony\Component\Console\Output\OutputInterface;
use Symfony\Component\Process\Exception\ExceptionInterface;

final class SkillsCommand extends Command
{
    use TellsErrors;

    private const PATIENCE_S = 60;
    private const SHOWN = 70;

    /** @var string */
    protected $signature = 'agent:skills
        {--json : Write all that is known of them as JSON, as `agent-skill list --json` does}';

    /** @var string */
    protected $description = 'List the skills that can be run, with their versions and owners';

    public function handle(Agents $agents): int
    {
        $runner = $agents->runner('skill');
        $runner = $runner instanceof PoolRunner ? $runner->fallback() : $runner;
        if (!$runner instanceof ProcessRunner) {
            return $this->refuse('The skills are those that ' . get_debug_type($runner) . ' plays.');
        }
        $list = $runner->program(['list', '--json']);
        try {
            $list->setTimeout(self::PATIENCE_S)->setInput('')->run();
        } catch (ExceptionInterface $error) {
            return $this->cannotList($runner, $error->getMessage());
        }
        $found = json_decode($list->getOutput(), true);
        if (!is_array($found['skills'] ?? null)) {
            return $this->cannotList($runner, trim($list->getErrorOutput()) ?: "status {$list->getExitCode()}");
        }
        $list->getErrorOutput() === '' || $this->onStderr(trim($list->getErrorOutput()));
        if ($this->option('json')) {
            $this->output->write($list->getOutput(), false, OutputInterface::OUTPUT_RAW);
        } else {
            $rows = array_map(self::row(...), $found['skills']);
            $this->table(['Name', 'Version', 'Owner', 'Where', 'Description'], $rows);
        }

        return self::SUCCESS;
    }

    private function cannotList(ProcessRunner $runner, string $why): int
    {
        $this->onStderr("{$runner->binary()} cannot list its skills: $why");

        return self::FAILURE;
    }

    /**
     * @param array<string, string> $skill
     *
     * @return list<string>
     */
    private static function row(array $skill): array
    {
        $where = match (true) {
            isset($skill['fault']) => 'faulty: ' . $skill['fault'],
            isset($skill['hidden_by']) => "hidden by {$skill['hidden_by']}",
            default => $skill['place'] ?? '',
        };
        $cells = [
            $skill['name'] ?? '',
            $skill['version'] ?? '',
            $skill['owner'] ?? '',
            mb_strimwidth($where, 0, self::SHOWN, '…'),
            mb_strimwidth($skill['description'] ?? '', 0, self::SHOWN, '…'),
        ];

        return array_map(static fn (string $cell): string => OutputFormatter::escape(self::printable($cell)), $cells);
    }
}

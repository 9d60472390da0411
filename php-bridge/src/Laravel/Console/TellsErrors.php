<?php

declare(strict_types=1);

namespace AgentWorkers\Laravel\Console;

use AgentWorkers\Exception\InvalidArgumentException;
use Symfony\Component\Console\Output\ConsoleOutputInterface;
use Symfony\Component\Console\Output\OutputInterface;

/**
 * For commands whose stdout is for programs.
 *
 * @internal
 */
trait TellsErrors
{
    private function read(string $file): string
    {
        $json = @file_get_contents($file === '-' ? 'php://stdin' : $file);

        return $json !== false ? $json : throw new InvalidArgumentException(
            "The file $file cannot be read. Name a file with a request as JSON, or - for stdin.",
        );
    }

    private function refuse(string $message): int
    {
        $this->onStderr($message);

        return ExitCode::REFUSED;
    }

    private function onStderr(string $message): void
    {
        $output = $this->output->getOutput();
        $errors = $output instanceof ConsoleOutputInterface ? $output->getErrorOutput() : $output;
        $errors->writeln(self::printable($message), OutputInterface::OUTPUT_RAW);
    }

    /** Without control characters: what an agent says shall not steer the terminal. */
    private static function printable(string $text): string
    {
        return preg_replace('/[^\P{Cc}\n\t]/u', '', $text) ?? '';
    }
}

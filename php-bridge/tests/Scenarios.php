<?php

declare(strict_types=1);

namespace AgentWorkers\Tests;

/** The real workers, and scripts for the model that they talk to. For classes with a TemporaryDirectory. */
trait Scenarios
{
    private function binary(string $worker): string
    {
        $chat = getenv('AGENT_CHAT_BIN') ?: dirname(__DIR__, 2) . '/.venv/bin/agent-chat';
        $binary = dirname($chat) . "/$worker";
        if (!is_executable($binary)) {
            $this->markTestSkipped("There is no $worker beside AGENT_CHAT_BIN.");
        }

        return $binary;
    }

    /**
     * A scenario in which the model makes these calls at once, and then says that it is done.
     *
     * @param array{string, array<string, mixed>} ...$calls names and inputs
     */
    private function scenario(array ...$calls): string
    {
        return $this->steps($calls);
    }

    /**
     * A scenario in which the model makes the calls of one step after those of another, and then says that it is done.
     *
     * @param list<array{string, array<string, mixed>}> ...$steps names and inputs
     */
    private function steps(array ...$steps): string
    {
        $call = static fn (array $call): array => [
            'type' => 'tool_use',
            'name' => $call[0],
            'input' => (object) $call[1],
        ];
        $said = [['type' => 'text', 'text' => 'All done. ${result}']];
        $contents = [...array_map(static fn (array $calls): array => array_map($call, $calls), $steps), $said];
        $steps = array_map(static fn (array $content): array => ['content' => $content], array_values($contents));
        $file = $this->directory() . '/scenario.json';
        file_put_contents($file, json_encode(['description' => 'Calls tools.', 'steps' => $steps]));

        return $file;
    }
}

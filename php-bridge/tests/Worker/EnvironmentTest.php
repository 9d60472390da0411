<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Worker;

use AgentWorkers\Event\Session;
use AgentWorkers\ProcessRunner;
use AgentWorkers\Tests\Workers;
use PHPUnit\Framework\TestCase;
use Symfony\Component\Process\Process;

final class EnvironmentTest extends TestCase
{
    use Workers;

    private const CANARIES = [
        'DB_PASSWORD', 'HTTP_COOKIE', 'HTTP_AUTHORIZATION', 'HTTP_PROXY', 'QUERY_STRING', 'APP_KEY',
        'AGENT_WORKERS_SIGNING_KEY', 'AGENT_WORKERS_RECORDS',
    ];

    /** @before */
    protected function plantCanaries(): void
    {
        foreach (self::CANARIES as $name) {
            putenv("$name=canary");
            $_ENV[$name] = $_SERVER[$name] = 'canary';
        }
    }

    /** @after */
    protected function removeCanaries(): void
    {
        foreach (self::CANARIES as $name) {
            putenv($name);
            unset($_ENV[$name], $_SERVER[$name]);
        }
    }

    public function testAWorkerSeesWhatItNeedsAndNothingElse(): void
    {
        $seen = $this->environmentOf($this->fixture('obedient'));

        self::assertSame(['HOME', 'LANG', 'PATH'], self::sorted(array_keys($seen)));
    }

    public function testTheDefaultListLetsNoCanaryThrough(): void
    {
        $fixture = [dirname(__DIR__) . '/fixtures/worker.php', 'obedient'];
        $seen = $this->environmentOf(new ProcessRunner(PHP_BINARY, $fixture));

        self::assertArrayHasKey('PATH', $seen);
        self::assertNotContains('canary', $seen);
    }

    public function testNamesAreInheritedByPattern(): void
    {
        $seen = $this->environmentOf($this->fixture('obedient')->inheritEnv('DB_*', 'APP_KEY'));

        self::assertSame(['APP_KEY', 'DB_PASSWORD', 'HOME', 'LANG', 'PATH'], self::sorted(array_keys($seen)));
    }

    public function testValuesAreSetAndKeptAway(): void
    {
        $runner = $this->fixture('obedient')->inheritEnv('DB_*')->env(['DB_PASSWORD' => false, 'EXTRA' => 'x y']);
        $seen = $this->environmentOf($runner);

        self::assertArrayNotHasKey('DB_PASSWORD', $seen);
        self::assertSame('x y', $seen['EXTRA']);
    }

    public function testTheEscapeHatchAddsToTheListAndDoesNotReplaceIt(): void
    {
        $configure = static fn (Process $process) => $process->setEnv(['EXTRA' => '1']);
        $seen = $this->environmentOf($this->fixture('obedient')->configureProcess($configure));

        self::assertSame(['EXTRA', 'HOME', 'LANG', 'PATH'], self::sorted(array_keys($seen)));
    }

    public function testTheEscapeHatchCanPassANameThatTheListKeepsAway(): void
    {
        $configure = static fn (Process $process) => $process->setEnv(['DB_PASSWORD' => 'mine']);
        $seen = $this->environmentOf($this->fixture('obedient')->configureProcess($configure));

        self::assertSame('mine', $seen['DB_PASSWORD']);
    }

    public function testNoProcessOfARealRunSeesACanary(): void
    {
        $worker = null;
        $runner = $this->agentChat('slow')->configureProcess(static function (Process $it) use (&$worker): void {
            $worker = $it;
        });
        $seen = [];
        foreach ($runner->stream(self::request()) as $event) {
            if ($event instanceof Session) {
                $seen = array_map(self::environ(...), self::family($worker->getPid()));
                break;
            }
        }

        self::assertGreaterThan(1, count($seen), 'The agent should run below its worker.');
        self::assertStringNotContainsString('canary', implode("\0", $seen));
    }

    /** @return array<string, string> */
    private function environmentOf(ProcessRunner $runner): array
    {
        foreach ($runner->stream(self::request()) as $start) {
            $environ = self::environ(self::pid($start));
            break;
        }
        $pairs = array_map(static fn (string $pair) => explode('=', $pair, 2), explode("\0", rtrim($environ, "\0")));

        return array_diff_key(array_column($pairs, 1, 0), ['PWD' => true]); // which the shell adds
    }

    private static function environ(int $pid): string
    {
        return (string) @file_get_contents("/proc/$pid/environ");
    }

    /** @return list<int> the process and its descendants */
    private static function family(int $pid): array
    {
        $children = explode(' ', trim((string) @file_get_contents("/proc/$pid/task/$pid/children")));
        $families = array_map(static fn (string $child) => self::family((int) $child), array_filter($children));

        return array_merge([$pid], ...$families);
    }

    /**
     * @param list<string> $names
     *
     * @return list<string>
     */
    private static function sorted(array $names): array
    {
        sort($names);

        return $names;
    }
}

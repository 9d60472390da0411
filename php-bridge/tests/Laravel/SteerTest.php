<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Exception\RunOverException;
use AgentWorkers\Laravel\Facades\Agent;
use AgentWorkers\Testing\FakeRunner;
use AgentWorkers\Testing\Script;
use AgentWorkers\Tests\Scenarios;
use Illuminate\Auth\GenericUser;
use Illuminate\Foundation\Application;
use Illuminate\Session\Middleware\StartSession;
use Illuminate\Support\Facades\Route;

/** A word to the agent comes from another process than the one that holds its run. */
final class SteerTest extends TestCase
{
    use Scenarios;

    private const RUN = '5f0c9d3e-1111-4222-8333-444455556666';

    protected function configure(Application $app): void
    {
        parent::configure($app);
        $path = $this->directory() . '/cache';
        $stores = ['f' => ['driver' => 'file', 'path' => $path]];
        $app->make('config')->set('cache', ['default' => 'f', 'stores' => $stores]);
    }

    public function testTheOwnerSaysAWordFromAnotherRequestAndIsNamed(): void
    {
        $this->actingAs(new GenericUser(['id' => 7]));
        [$fake, $told] = $this->during(fn (): array => [
            $this->postJson($this->address(), ['text' => '/compact, and mind @this'])->assertStatus(202)->json('id'),
            Agent::steer(self::RUN, 'More'),
        ]);
        $fake->assertSteered('/compact, and mind @this');
        $fake->assertSteered('More');
        self::assertSame($told, array_column(self::steering($fake), 'id'));
        self::assertSame(['7', '7'], array_column(self::steering($fake), 'actor'));
        $events = $this->eventsOf($this->follow(self::RUN));
        $steered = array_filter($events, static fn (array $event): bool => $event['type'] === 'steered');
        self::assertSame($told, array_column($steered, 'id'));
    }

    public function testNobodyElseSaysAnythingAndNothingUnreadableIsTaken(): void
    {
        $this->asVisitor('Ada');
        $status = fn (array $body): int => $this->postJson($this->address(), $body)->getStatusCode();
        [$fake, $statuses] = $this->during(function () use ($status): array {
            $long = str_repeat('x', 100_001);
            $wrong = [[], ['text' => ''], ['text' => ['x']], ['text' => 'x', 'actor' => 'y'], ['text' => $long]];
            $statuses = array_map($status, [...$wrong, ['text' => "\u{a0}\u{2003}\n"]]);
            $bytes = ['text' => 'x', "\xff" => 'y'];
            $statuses[] = $this->post($this->address(), $bytes, ['Accept' => 'application/json'])->getStatusCode();
            $this->asVisitor('Eve');

            return [...$statuses, $status(['text' => 'Mine'])];
        });
        self::assertSame([422, 422, 422, 422, 422, 422, 422, 404], $statuses);
        self::assertSame([], self::steering($fake));
    }

    public function testARunThatIsOverSaysSo(): void
    {
        $this->asVisitor('Ada');
        $this->during(static fn (): array => []);
        $this->postJson($this->address(), ['text' => 'Late'])->assertStatus(410)
            ->assertJsonPath('message', 'This run has ended.');
        $this->postJson('/agent/runs/other/steer', ['text' => 'Hi'])->assertNotFound();
        $this->expectException(RunOverException::class);
        Agent::steer(self::RUN, 'Hi', 'somebody');
    }

    public function testARealAgentReadsAWordWhileItsCommandRuns(): void
    {
        mkdir($work = $this->directory() . '/work');
        $command = ['command' => 'echo up; until [ -e go ]; do sleep 0.01; done', 'description' => 'Waits'];
        config([
            'agent-workers.binaries.agent-task' => $this->binary('agent-task'),
            'agent-workers.simulate' => $this->scenario(['Bash', $command]),
            'agent-workers.env' => ['HOME' => $this->directory(), 'ANTHROPIC_API_KEY' => null],
            'agent-workers.state_dir' => $this->directory() . '/state',
        ]);
        $this->actingAs(new GenericUser(['id' => 7]));
        $child = 0;
        $begin = function () use ($work, &$child): void {
            $child = $child !== 0 ? $child : $this->aside($this->directory() . '/told', fn (): array => [
                $this->postJson($this->address(), ['text' => "/compact, @x and\nmore"])->json('id'),
                $this->untilTheCliHas(2), // the prompt and the word: earlier it would be too late for this command
                touch("$work/go"),
            ]);
        };
        Route::post('/task', static fn () => Agent::task('Hi', $work)->tools(['Bash'])->allow(['Bash'])
            ->onToolOutput($begin)->configure(static fn ($request) => $request->run(self::RUN)));
        $events = $this->eventsOf($this->post('/task'));
        pcntl_waitpid($child, $status);
        [$id] = unserialize((string) file_get_contents($this->directory() . '/told'));
        $story = (string) json_encode($events);
        $isOfWord = static fn (array $event): bool => ($event['id'] ?? '') === $id;
        $ofWord = array_values(array_filter($events, $isOfWord));
        $what = static fn (array $event): array => [$event['type'], $event['ok'] ?? $event['actor']];
        $told = array_map($what, $ofWord);

        self::assertEqualsCanonicalizing([['ack', true], ['steered', '7']], $told, $story);
        self::assertSame('done', end($events)['type'], $story);
        $this->postJson($this->address(), ['text' => 'Late'])->assertStatus(410);
    }

    /** @param int $messages as many as the CLI has taken into its queue, by its transcript */
    private function untilTheCliHas(int $messages): void
    {
        for ($taken = 0, $end = hrtime(true) + 60e9; $taken < $messages && hrtime(true) < $end; usleep(20_000)) {
            $files = new \RecursiveIteratorIterator(new \RecursiveDirectoryIterator($this->directory()));
            $taken = 0;
            foreach (new \RegexIterator($files, '/\.jsonl$/') as $file) {
                $taken += substr_count((string) file_get_contents((string) $file), '"operation":"enqueue"');
            }
        }
    }

    /** @param \Closure(): list<mixed> $say what another process does; what it gives is kept in the file */
    private function aside(string $file, \Closure $say): int
    {
        $child = pcntl_fork();
        if ($child === 0) {
            try {
                file_put_contents($file, serialize($say()));
            } catch (\Throwable $error) {
                file_put_contents($file, serialize([(string) $error]));
            } finally {
                posix_kill((int) getmypid(), SIGKILL); // its parent alone goes on with the test
            }
        }

        return $child;
    }

    /**
     * Streams a run whose agent waits meanwhile for what another process says.
     *
     * @param \Closure(): list<mixed> $say
     *
     * @return array{FakeRunner, list<mixed>}
     */
    private function during(\Closure $say): array
    {
        $told = $this->directory() . '/told';
        $fake = Agent::fake(Script::text('Done.')->running('Bash', ['command' => 'make'], ['x'])
            ->askingUser(['Wait?' => ['Yes']]));
        $child = 0;
        $begin = function () use ($say, $told, &$child): void {
            $child = $this->aside($told, $say);
        };
        $wait = static function () use (&$child): ?array {
            usleep(50_000); // as long as a real run has between two of its ticks, more or less

            return pcntl_waitpid($child, $status, WNOHANG) === 0 ? null : ['Wait?' => 'Yes'];
        };
        Route::post('/ask', static fn () => Agent::chat('Hi')->onToolOutput($begin)->onQuestion($wait)
            ->configure(static fn ($request) => $request->run(self::RUN)))->middleware(StartSession::class);
        $this->eventsOf($this->post('/ask'));

        return [$fake, unserialize((string) file_get_contents($told))];
    }

    /** @return list<array<string, mixed>> */
    private static function steering(FakeRunner $fake): array
    {
        $isMeant = static fn (array $one): bool => $one['type'] === 'steer';

        return array_values(array_filter($fake->controls(), $isMeant));
    }

    private function address(): string
    {
        return '/agent/runs/' . self::RUN . '/steer';
    }
}

<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Tests\Fleets;
use Illuminate\Testing\TestResponse;

/** An application with a fleet, whose machine is the test. */
abstract class FleetTestCase extends TestCase
{
    use Fleets;

    protected const START = ['start', [
        'worker' => 'agent-chat', 'worker_version' => '0', 'sdk_version' => '0', 'simulated' => true,
    ]];
    protected const DONE = ['done', [
        'text' => 'Hi', 'stop_reason' => 'end_turn', 'duration_ms' => 1, 'num_turns' => 1,
    ]];

    protected function setUp(): void
    {
        parent::setUp();
        $this->startRedis();
        config(['agent-workers.fleet.url' => $this->fleetUrl(), 'agent-workers.workers.chat.fleet' => true]);
        $this->asVisitor('Ada');
        $this->offerSlots();
    }

    /** @return string a run that this visitor has submitted, and that has begun */
    protected function begun(): string
    {
        $run = $this->submitted();
        $this->beginRun($run);

        return $run;
    }

    protected function submitted(): string
    {
        return (string) $this->postJson('/agent/chat', ['prompt' => 'Hello'])->assertStatus(202)->json('run');
    }

    /** @return list<string> ids of the frames */
    protected static function idsOf(string $stream): array
    {
        preg_match_all('/^id: (.*)$/m', $stream, $found);

        return $found[1];
    }

    protected function seen(TestResponse $response): string
    {
        return $response->streamedContent();
    }
}

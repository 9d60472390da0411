<?php

declare(strict_types=1);

namespace AgentWorkers\Tests\Laravel;

use AgentWorkers\Laravel\Console\FleetCheck;
use AgentWorkers\Laravel\Fleet\FleetAccess;
use Illuminate\Support\Facades\Artisan;

final class FleetDoctorTest extends FleetTestCase
{
    public function testTheDoctorSaysHowTheFleetsRedisIs(): void
    {
        $this->assertCheck('ok', "127.0.0.1:$this->port: Redis ");
        $this->machine()->config('SET', 'appendonly', 'no');
        $this->assertCheck('warn', 'appendonly no', 'Set appendonly to yes');
        $this->machine()->config('SET', 'maxmemory-policy', 'allkeys-lru');
        $this->assertCheck('warn', 'allkeys-lru', 'noeviction');
        $this->redis->stop(0);
        config(['agent-workers.fleet.patience' => 0.1]);
        $this->assertCheck('fail', 'Redis at', 'Start Redis');
        config(['agent-workers.fleet.url' => null, 'agent-workers.fleet.connection' => 'none']);
        $this->assertCheck('fail', 'There is no connection none');
    }

    public function testTheDoctorsReportHasItWhereThereIsAFleet(): void
    {
        config(['agent-workers.binaries.agent-workers' => '/bin/false', 'agent-workers.workers' => []]);
        foreach ([true, false] as $isThere) {
            config(['agent-workers.fleet.url' => $isThere ? $this->fleetUrl() : null]);
            Artisan::call('agent:doctor', ['--json' => true]);
            $reports = json_decode(Artisan::output(), true);
            $checks = array_column(array_values($reports)[0]['checks'], 'check');
            self::assertSame($isThere, in_array('fleet', $checks, true));
        }
    }

    private function assertCheck(string $status, string $found, string $cure = ''): void
    {
        $check = FleetCheck::of($this->app->make(FleetAccess::class));
        self::assertSame('fleet', $check['check']);
        self::assertSame($status, $check['status'], $check['found']);
        self::assertStringContainsString($found, $check['found']);
        self::assertStringContainsString($cure, $check['cure'] ?? '');
    }
}

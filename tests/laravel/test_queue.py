"""The job on a real queue: Laravel's own worker, a database and the simulator."""

import json
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent_workers.simulator import Simulator
from tests.laravel.site import Site
from tests.waiting import PATIENCE_S, until

_TABLE = """CREATE TABLE jobs (id INTEGER PRIMARY KEY, queue TEXT, payload TEXT, attempts INTEGER, reserved_at INTEGER,
    available_at INTEGER, created_at INTEGER)"""
_PUSH = """
    $app = require 'bootstrap/app.php';
    $app->make(Illuminate\\Contracts\\Console\\Kernel::class)->bootstrap();
    $job = new AgentWorkers\\Laravel\\Queue\\RunAgent(json_decode($argv[1], true));
    $job->timeout = (int) $argv[2];
    dispatch($job);
"""

_BUG = """<?php
namespace App\\Providers;
final class BugProvider extends \\Illuminate\\Support\\ServiceProvider
{
    public function boot(): void
    {
        $this->app['events']->listen(\\AgentWorkers\\Laravel\\Queue\\AgentEvent::class, static function ($told): void {
            $told->event->type === 'done' && throw new \\DomainException('A bug.');
        });
    }
}
"""


class Queue:
    """A database with the table of jobs, and a worker for them."""

    def __init__(self, site: Site, database: Path) -> None:
        self._site = site
        self._database = database
        self.environ = site.console | {"QUEUE_CONNECTION": "database", "DB_DATABASE": str(database)}
        self._query(_TABLE)

    def _query(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self._database)) as connection, connection:
            return connection.execute(sql).fetchall()

    def push(self, request: object, timeout_s: int = 60) -> None:
        command = ["php", "-r", _PUSH, "--", json.dumps(request), str(timeout_s)]
        subprocess.run(command, cwd=self._site.app, env=self.environ, check=True, timeout=PATIENCE_S)

    def work(self) -> "subprocess.Popen[bytes]":
        return self._site.artisan("queue:work", "--once", env=self.environ)

    @property
    def jobs(self) -> list[tuple[int, int]]:
        """Of each job that is left, how often it was tried and when it is due."""
        return self._query("SELECT attempts, available_at FROM jobs")


@pytest.fixture
def queue(site: Site, tmp_path: Path) -> Iterator[Queue]:
    return Queue(site, tmp_path / "queue.sqlite")


def test_a_job_that_succeeds_is_done(queue: Queue) -> None:
    queue.push({"prompt": "Hello"})
    output, _ = (worker := queue.work()).communicate(timeout=PATIENCE_S)
    assert worker.returncode == 0
    assert b"Processed" in output
    assert queue.jobs == []


def test_a_failure_worth_a_retry_is_put_off(queue: Queue) -> None:
    queue.push({"prompt": "[[scenario:overloaded-529]]"})
    began = int(time.time())
    queue.work().communicate(timeout=PATIENCE_S)
    [(attempts, due)] = queue.jobs
    assert attempts == 1
    assert due >= began + 10


@pytest.mark.parametrize("scenario", ["unauthorized-401", "billing"])
def test_any_other_failure_ends_the_job(queue: Queue, scenario: str) -> None:
    queue.push({"prompt": f"[[scenario:{scenario}]]"})
    output, _ = queue.work().communicate(timeout=PATIENCE_S)
    assert b"Failed" in output
    assert queue.jobs == []


def test_a_bug_in_a_listener_is_paid_for_once(site: Site, queue: Queue, simulator: Simulator) -> None:
    prompt = "Meet a bug. [[scenario:hello]]"
    queue.push({"prompt": prompt})
    listener = site.app / "app/Providers/BugProvider.php"
    listener.write_text(_BUG)
    config = site.app / "config/app.php"
    sound = config.read_text()
    config.write_text(sound.replace("'providers' => [", "'providers' => [App\\Providers\\BugProvider::class,"))
    try:
        for _ in range(3):
            queue.work().communicate(timeout=PATIENCE_S)
    finally:
        config.write_text(sound)
        listener.unlink()
    assert queue.jobs == []
    assert sum(prompt in str(record.body) for record in simulator.requests("/v1/messages")) == 1


def test_without_a_queue_a_failure_is_thrown(site: Site, queue: Queue) -> None:
    command = ["php", "-r", _PUSH, "--", json.dumps({"prompt": "[[scenario:unauthorized-401]]"}), "60"]
    environ = queue.environ | {"QUEUE_CONNECTION": "sync"}
    ran = subprocess.run(
        command, cwd=site.app, env=environ, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert ran.returncode != 0
    assert "RunFailedException" in ran.stdout + ran.stderr


def test_a_run_ends_in_order_before_the_timeout_of_its_job(site: Site, queue: Queue) -> None:
    queue.push({"prompt": "[[scenario:stall-before]]"}, timeout_s=16)
    output, _ = (worker := queue.work()).communicate(timeout=PATIENCE_S)
    assert (worker.returncode, b"Failed" in output) == (0, True)
    assert queue.jobs == []


def test_a_killed_queue_worker_leaves_no_agent(site: Site, queue: Queue) -> None:
    queue.push({"prompt": "[[scenario:stall-before]]"})
    worker = queue.work()
    until(lambda: site.processes("claude"), what=site.left)
    worker.kill()
    worker.communicate(timeout=PATIENCE_S)
    until(lambda: not site.processes(), within_s=6, what=site.left)

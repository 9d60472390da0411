"""Runs at the terminal: submitted, followed, told something and stopped."""

import json
import re
import signal
import subprocess
from collections.abc import Callable

import pytest

from agent_workers.fleet.keys import Keys
from tests.e2e.worker import Home
from tests.fleet.commands import Commands
from tests.fleet.redis_server import RedisServer
from tests.fleet.served import CHAT, User, Working
from tests.waiting import PATIENCE_S, until

Work = Callable[..., Working]
SLOW = {**CHAT, "prompt": "Go. [[scenario:slow]]"}


def lines_in(redis: RedisServer, run: str) -> str:
    """The lines of a run's stream as they stand there."""
    found = redis.client.xrange(Keys().events(run))
    return "".join(fields[b"event"].decode() + "\n" for _, fields in found if b"event" in fields)  # type: ignore[union-attr]


def test_a_job_is_submitted_and_followed_to_its_end_byte_for_byte(
    work: Work, fleet: Commands, redis: RedisServer
) -> None:
    work()
    ended = fleet("submit", "--follow", given=json.dumps({**CHAT, "run": "r-1"}, indent=2))
    assert (ended.returncode, ended.stderr) == (0, "run r-1\n")
    assert ended.stdout == lines_in(redis, "r-1")
    for at in (1, len(ended.stdout.splitlines()) - 1):
        rest = fleet("follow", "r-1", "--after", f"1-{at}")
        assert rest.stdout.splitlines() == ended.stdout.splitlines()[at:]
    last = len(ended.stdout.splitlines())
    nothing = fleet("follow", "r-1", "--after", f"1-{last}")
    assert (nothing.returncode, nothing.stdout) == (0, "")
    assert "the run has ended" in nothing.stderr


def test_several_jobs_come_as_lines_and_the_same_again_is_known(fleet: Commands, user: User) -> None:
    jobs = [{**CHAT, "run": f"r-{number}"} for number in range(3)]
    told = fleet.submit(*jobs, options=("--queue", "bulk", "--priority", "3", "--tenant", "acme"))
    assert told == [{"run": f"r-{number}", "state": "queued", "new": True} for number in range(3)]
    status = user.status("r-2")
    assert status
    assert (status.fields["queue"], status.fields["priority"], status.fields["tenant"]) == ("bulk", 3, "acme")
    again = fleet.submit(*jobs, options=("--queue", "bulk", "--priority", "3", "--tenant", "acme"))
    assert [each["new"] for each in again] == [False] * 3


def test_one_bad_job_among_many_is_told_with_its_line_and_none_goes(fleet: Commands, redis: RedisServer) -> None:
    jobs = [CHAT, {**CHAT, "promt": "x", "attempts": 99}, "", {"worker": "agent-chatt"}]
    ended = fleet("submit", given="".join(f"{json.dumps(job) if job else ''}\n" for job in jobs))
    assert (ended.returncode, ended.stdout) == (2, "")
    told = ended.stderr.splitlines()
    assert [line.split(":")[:2] for line in told[:-1]] == [
        ["line 2", " /attempts"],
        ["line 2", " /promt"],
        ["line 4", " /worker"],
    ]
    assert told[-1] == "Nothing was submitted."
    assert redis.client.keys("*") == []


def test_a_run_that_is_another_job_is_told_and_the_others_go(fleet: Commands) -> None:
    fleet.submit({**CHAT, "run": "taken"})
    jobs = [{**CHAT, "run": "taken", "prompt": "Another"}, {**CHAT, "run": "free"}]
    ended = fleet("submit", given="".join(json.dumps(job) + "\n" for job in jobs))
    assert (ended.returncode, json.loads(ended.stdout)["run"]) == (2, "free")
    assert ended.stderr.startswith("line 1: /run: run taken is another job")


def test_a_persons_view_has_the_answer_and_the_exit_status_is_the_workers_own(work: Work, fleet: Commands) -> None:
    work()
    shown = fleet("submit", "--pretty", given=json.dumps(CHAT))
    assert shown.returncode == 0
    assert "Hello" in shown.stdout
    assert "\ndone · " in shown.stdout
    failed = fleet(
        "submit", "--follow", given=json.dumps({**CHAT, "prompt": "[[scenario:unauthorized-401]]", "attempts": 1})
    )
    assert json.loads(failed.stdout.splitlines()[-1])["type"] == "error"
    assert failed.returncode == 1
    aborted = fleet.submit({**CHAT, "queue": "nobody"})[0]["run"]
    assert fleet("abort", aborted).stdout == f"{aborted}: aborted\n"
    assert fleet("follow", aborted).returncode == 3


def test_who_follows_a_job_that_no_process_takes_is_told_what_it_waits_for(work: Work, fleet: Commands) -> None:
    waiting = fleet.start("submit", "--follow", "--queue", "bulk", stdin=subprocess.PIPE)
    assert waiting.stdin
    assert waiting.stderr
    with waiting:
        waiting.stdin.write(json.dumps({**CHAT, "run": "r-1"}).encode())
        waiting.stdin.close()
        told = [waiting.stderr.readline().decode() for _ in range(2)]
        assert told[0] == "run r-1\n"
        assert "agent-workers fleet work --queue bulk" in told[1]
        work("--queue", "bulk")
        assert waiting.wait(PATIENCE_S) == 0


def test_a_word_to_the_agent_is_read_and_an_end_before_that_is_told(
    work: Work, fleet: Commands, user: User, home: Home
) -> None:
    work("--queue", "default=2")
    task = {"worker": "agent-task", "cwd": str(home.root), "tools": ["Bash"], "permissions": {"allow": ["Bash"]}}
    busy = fleet.submit({**task, "prompt": "[[scenario:task-slow]]"})[0]["run"]
    user.wait_for(busy, "tool_call")
    said = fleet("steer", busy, "Be brief.", "--actor", "ada", "--patience-s", "100")
    assert (said.returncode, said.stdout, said.stderr) == (0, "the agent has read it\n", "")
    assert user.wait_for(busy, "steered")["actor"] == "ada"
    run = fleet.submit({**SLOW, "run": "r-1"})[0]["run"]
    user.wait_for(run, "delta")
    steering = fleet.start("steer", run, "Too late.", "--patience-s", "100")
    until(lambda: user.redis.client.xlen(Keys().control(run)) == 1)
    stopped = fleet("abort", run, "nobody")
    assert (stopped.returncode, stopped.stdout) == (1, f"{run}: its worker is told to stop\n")
    assert stopped.stderr == "Error: there is no run nobody, or it has ended too long ago\n"
    assert fleet("follow", run).returncode == 3
    _, told = steering.communicate(timeout=PATIENCE_S)
    assert steering.returncode == 1
    assert re.match(rb"Error: the (agent will not read it: too_late|run ended before the agent read it: aborted)", told)
    over = fleet("steer", run, "Too late")
    assert (over.returncode, over.stderr) == (1, f"Error: run {run} has ended\n")
    assert fleet("steer", run, "").returncode == 2


def test_what_is_said_to_a_run_that_waits_stays_said(fleet: Commands) -> None:
    fleet.submit({**CHAT, "run": "r-1"})
    said = fleet("steer", "r-1", "Be brief.", "--patience-s", "0.2")
    assert (said.returncode, said.stdout) == (75, "")
    assert "it stays said" in said.stderr


def test_ctrl_c_leaves_the_run_alone_and_says_how_to_go_on(work: Work, fleet: Commands, user: User) -> None:
    work()
    run = fleet.submit(SLOW)[0]["run"]
    process = fleet.start("follow", run)
    assert process.stdout
    for line in process.stdout:
        if json.loads(line)["type"] == "delta":
            break
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert b"The run goes on. Follow it further: agent-workers fleet follow " in told
    assert f"{run} --after 1-".encode() in told
    assert user.status(run).state == "running"  # type: ignore[union-attr]
    user.abort(run)
    user.follow(run)


def test_a_reader_that_goes_ends_the_command_and_not_the_run(work: Work, fleet: Commands, user: User) -> None:
    work()
    run = fleet.submit(SLOW)[0]["run"]
    process = fleet.start("follow", run)
    assert process.stdout
    assert process.stderr
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=PATIENCE_S) == 4
    process.stderr.close()
    assert user.status(run).state == "running"  # type: ignore[union-attr]
    user.abort(run)
    user.follow(run)


def test_another_attempt_is_told_plainly(work: Work, fleet: Commands, user: User) -> None:
    first = work("--grace-s", "0", "--lease-s", "3000")
    run = fleet.submit(SLOW)[0]["run"]
    user.wait_for(run, "delta")
    raw, pretty = fleet.start("follow", run), fleet.start("follow", run, "--pretty")
    first.stop()
    work("--lease-s", "3000")
    user.follow(run, until_=lambda event: event.get("attempt") == 2)
    user.abort(run)
    (lines, told), (shown, _) = (process.communicate(timeout=PATIENCE_S) for process in (raw, pretty))
    assert b"attempt 2 of the run begins: what came before is void" in told
    assert "the run begins again (attempt 2)" in shown.decode()
    assert [json.loads(line)["seq"] for line in lines.splitlines()].count(1) == 2
    assert (raw.returncode, pretty.returncode) == (3, 3)


def test_redis_may_go_away_and_come_back_while_a_run_is_followed(
    fleet: Commands, user: User, redis: RedisServer
) -> None:
    run = user.submit(CHAT).run
    follower = fleet.start("follow", run, "--patience-s", "100")
    assert follower.stderr
    until(lambda: any(client["cmd"] == "xread" for client in redis.client.client_list()))
    redis.kill()
    assert follower.stderr.readline().startswith(b"Redis has gone, and is waited for")
    redis.start()
    assert follower.stderr.readline() == b"Redis is back\n"
    user.abort(run)
    lines, _ = follower.communicate(timeout=PATIENCE_S)
    assert json.loads(lines)["type"] == "aborted"
    assert follower.returncode == 3


def test_redis_that_stays_away_is_told_with_how_to_go_on(work: Work, fleet: Commands, redis: RedisServer) -> None:
    working = work()
    run = fleet.submit(SLOW)[0]["run"]
    follower = fleet.start("follow", run, "--patience-s", "0")
    assert follower.stdout
    for line in follower.stdout:
        if json.loads(line)["type"] == "delta":
            break
    redis.kill()
    _, told = follower.communicate(timeout=PATIENCE_S)
    assert follower.returncode == 75
    assert f"Redis at {redis.url} cannot be reached: ".encode() in told
    assert f"agent-workers fleet follow {run} --after 1-".encode() in told
    working.stop(signal.SIGKILL)
    redis.start()


@pytest.mark.parametrize(
    "words", [("submit",), ("follow", "r"), ("abort", "r"), ("steer", "r", "x"), ("status",), ("status", "r")]
)
def test_where_there_is_no_redis_one_line_says_so(words: tuple[str, ...], fleet: Commands, redis: RedisServer) -> None:
    redis.stop()
    given = json.dumps(CHAT)
    ended = fleet(*words, given=given, AGENT_WORKERS_REDIS=redis.url.replace("//", "//user:s3cret@"))
    assert (ended.returncode, ended.stdout) == (75, "")
    assert ended.stderr.startswith(f"Error: Redis at {redis.url} cannot be reached: ")
    assert ended.stderr.count("\n") == 1
    assert "s3cret" not in ended.stderr
    redis.start()


def test_what_is_not_there_or_no_address_is_told(fleet: Commands) -> None:
    for words in (("follow", "nobody"), ("status", "nobody"), ("abort", "nobody"), ("steer", "nobody", "x")):
        ended = fleet(*words)
        assert (ended.returncode, ended.stderr) == (
            1,
            "Error: there is no run nobody, or it has ended too long ago\n",
        )
    assert fleet("status", "--redis", "nowhere").returncode == 1
    assert fleet("follow", "r", "--after", "last").returncode == 2


def test_a_run_is_shown_to_a_person_and_to_programs(work: Work, fleet: Commands, user: User) -> None:
    run = fleet.submit({**CHAT, "user": "ada", "tenant": "acme"})[0]["run"]
    assert json.loads(fleet("status", run, "--json").stdout)["state"] == "queued"
    waits = fleet("status", run).stdout
    assert waits.splitlines()[0] == f"{run}  queued  waits for a slot"
    work()
    watched = fleet("status", run, "--watch", "--json").stdout.splitlines()
    assert json.loads(watched[-1])["state"] == "done"
    shown = fleet("status", run).stdout
    assert shown.splitlines()[0] == f"{run}  done"
    facts = [" ".join(line.split()) for line in shown.splitlines()[1:]]
    assert {"user ada", "tenant acme", "attempt 1 of 3"} <= set(facts)
    assert any(fact.startswith("cost $") and fact.endswith("an estimate") for fact in facts)


def test_a_terminal_in_place_of_a_job_is_refused(fleet: Commands) -> None:
    ended = subprocess.run(
        ["script", "-qec", " ".join(fleet.command("submit")), "/dev/null"],
        env=fleet.scripts.environ(**fleet.variables),
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert b"name the FILE with the job, or pipe it in" in ended.stdout


def test_the_follower_hears_of_a_run_that_waits_longer_than_a_read(work: Work, fleet: Commands) -> None:
    run = fleet.submit(CHAT)[0]["run"]
    follower = fleet.start("follow", run)
    work()
    lines, _ = follower.communicate(timeout=PATIENCE_S)
    assert json.loads(lines.splitlines()[-1])["type"] == "done"
    until(lambda: fleet("status", run).stdout.startswith(f"{run}  done"))

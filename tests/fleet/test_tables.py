"""What an operator sees of a fleet, at the widths that terminals have."""

import io

import pytest
from rich.console import Console, RenderableType

from agent_workers.cli.fleet_dead_table import rendered_dead
from agent_workers.cli.fleet_table import rendered
from agent_workers.fleet.dead import DeadRun
from agent_workers.fleet.overview import Machine, Overview, Queue, Tenant
from agent_workers.fleet.status import RunStatus
from tests.fleet.commands import Commands
from tests.fleet.served import CHAT

NOW = 1_795_779_000_000
RUN = "5f0c5b0e-7b7a-4c29-9a53-0d1c3c6a6e11"
LONG = "nightly-reports-of-everyone"
FULL = Overview(
    NOW,
    {
        "default": Queue(12, 3, 7, 1, 8, 8, {"done": 1204, "error:timeout": 3, "error:network": 11, "lost": 2}),
        "bulk": Queue(12_834, 0, 2, 0, 2, None, {"done": 88_231}),
        LONG: Queue(4, 120),
    },
    {"Murtal \x1b[31mMessebau": Tenant(3, 1, 1)},
    {"team-7": NOW + 45_000, "": NOW + 3_000},
    {f"host-{number}": Machine(1, 1) for number in range(25)},
    14,
)


def seen(shown: RenderableType, width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    with console.capture() as captured:
        console.print(shown)
    lines = [line.rstrip() for line in captured.get().splitlines()]
    assert all(len(line) <= width for line in lines)
    return lines


@pytest.mark.parametrize("width", [80, 120])
def test_each_queue_has_a_row_with_its_name_and_all_its_numbers(width: int) -> None:
    rows = {line.split()[0]: line.split()[1:] for line in seen(rendered(FULL, width=width), width) if line.strip()}
    assert rows["default"] == ["12", "3", "7", "1", "8", "8", "1204", "14", "0", "2"]
    assert rows["bulk"] == ["12834", "0", "2", "0", "2", "88231", "0", "0", "0"]
    assert " ".join(rows["queue"]) == "waiting later running asking slots limit done error aborted lost"


def test_where_rows_do_not_fit_queues_are_below_each_other() -> None:
    many = Overview(NOW, {"q": Queue(ended={"done": 10**12, "aborted": 10**12})}, {}, {}, {}, 0)
    for found, width in ((FULL, 60), (FULL, 40), (many, 80)):
        lines = seen(rendered(found, width=width), width)
        assert next(iter(found.queues)) in lines
        assert any(line.startswith("waiting ") for line in lines)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_what_needs_an_operator_is_said(width: int) -> None:
    text = " ".join(" ".join(seen(rendered(FULL, width=width), width)).split())
    assert "fleet: 25 machines, 9 of 10 slots at work, 12850 waiting, 123 for later" in text
    assert "and 5 more" in text
    assert "(the machines' own)" in text
    assert "in 45 s" in text
    assert f"{LONG}: no slot is alive: agent-workers fleet work --queue {LONG}=4" in text
    assert "default: errors by network 11, timeout 3" in text
    assert "14 runs failed for good: agent-workers fleet dead list" in text
    assert "\x1b" not in text


@pytest.mark.parametrize("width", [80, 120])
def test_the_id_of_a_failed_run_can_be_copied(width: int) -> None:
    status = RunStatus(
        RUN, "error", 2, {"code": "session_not_found", "attempts": 3, "queue": LONG, "tenant": "t" * 60}, b""
    )
    dead = [DeadRun(RUN, NOW, status), DeadRun("gone", NOW, None)]
    lines = seen(rendered_dead(dead, more=True, width=width), width)
    assert any(line.startswith(f"{RUN}  2026-11-27 11:30  session_not_found") for line in lines)
    assert any(line.startswith("gone ") and line.endswith("its job has gone") for line in lines)
    assert lines[-1].startswith("and more")


def test_a_terminal_and_a_pipe_show_the_same(fleet: Commands) -> None:
    assert "no queue yet" in fleet("status").stdout
    fleet.submit(CHAT, options=("--queue", "bulk"))
    piped = fleet("status", COLUMNS="80").stdout
    terminal, status = fleet.at_terminal("status", columns=80)
    assert status == 0
    assert piped.splitlines() == terminal.text.rstrip("\n").splitlines()
    assert "33" in terminal.styles
    assert "bulk: no slot is alive: agent-workers fleet work --queue bulk=4" in piped

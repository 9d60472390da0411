"""Who may enter the state directory."""

import stat
from pathlib import Path

import pytest

from agent_workers.engine.host.environment import Environment
from agent_workers.errors import StateUnavailable


def state_of(path: Path, **variables: str) -> Path:
    return Environment({"AGENT_WORKERS_STATE_DIR": str(path), **variables}).state_dir()


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where a state directory is to be, in one that is like any other."""
    tmp_path.chmod(0o755)
    return tmp_path / "state"


@pytest.mark.parametrize("before", [0o700, 0o755, 0o775, 0o777, 0o750])
def test_a_directory_that_is_open_to_others_is_closed(place: Path, before: int) -> None:
    place.mkdir()
    (place / "workspaces").mkdir()
    (place / ".gitignore").touch()
    for path in (place, place / "workspaces"):
        path.chmod(before)
    host = Environment({"AGENT_WORKERS_STATE_DIR": str(place)})
    host.common_dir("workspaces")
    assert (rights(place), rights(place / "workspaces")) == (0o700, 0o700)


def test_what_a_run_makes_is_its_users_alone_whatever_the_mask(place: Path) -> None:
    made = Environment({"AGENT_WORKERS_STATE_DIR": str(place)}, "http://127.0.0.1:1").common_dir(
        "workspaces", "agent-chat"
    )
    assert made == place / "simulator" / "workspaces" / "agent-chat"
    for path in (made, *made.parents[:3]):
        assert rights(path) == 0o700


def test_a_directory_that_holds_other_things_stays_as_it_is(place: Path) -> None:
    """Such as a home, or an application's: others may need to get through."""
    place.mkdir()
    place.chmod(0o755)
    (place / "public").mkdir()
    assert Environment({"AGENT_WORKERS_STATE_DIR": str(place)}).common_dir("sessions") == place / "sessions"
    assert (rights(place), rights(place / "sessions")) == (0o755, 0o700)


@pytest.mark.parametrize("mode", ["0770", "770", "2770", "0o770"])
def test_the_operator_may_share_the_directory_with_its_group(place: Path, mode: str) -> None:
    place.mkdir()
    place.chmod(0o700)
    made = Environment({"AGENT_WORKERS_STATE_DIR": str(place), "AGENT_WORKERS_STATE_MODE": mode}).common_dir(
        "workspaces", "w"
    )
    assert [rights(path) for path in (place, place / "workspaces", made)] == [0o2770] * 3


def test_the_operator_may_say_that_it_is_one_users_in_a_directory_of_a_group(place: Path) -> None:
    place.parent.chmod(0o2775)
    state_of(place, AGENT_WORKERS_STATE_MODE="0700")
    assert rights(place) & 0o777 == 0o700


@pytest.mark.parametrize("mode", ["0777", "0771", "1770", "0070", "0600", "rwxrwx---", "-770", " 0770", "0770\n"])
def test_a_mode_that_is_none_or_lets_everybody_in_is_refused(place: Path, mode: str) -> None:
    with pytest.raises(StateUnavailable, match="AGENT_WORKERS_STATE_MODE"):
        state_of(place, AGENT_WORKERS_STATE_MODE=mode)
    assert not place.exists()


@pytest.mark.parametrize("parent", [0o2775, 0o2770, 0o2755])
def test_a_group_is_honoured_where_the_directory_above_is_set_gid(place: Path, parent: int) -> None:
    place.parent.chmod(parent)
    made = Environment({"AGENT_WORKERS_STATE_DIR": str(place / "deep")}).common_dir("sessions")
    assert (rights(made), rights(made.parent)) == (0o2770, 0o2770)


def test_a_directory_that_is_set_gid_is_closed_to_all_but_its_group(place: Path) -> None:
    place.mkdir()
    place.chmod(0o2755)
    assert rights(state_of(place)) == 0o2750


def test_a_users_own_home_is_not_shared_for_being_set_gid(tmp_path: Path) -> None:
    """As it is on some systems for every user."""
    tmp_path.chmod(0o2755)
    assert rights(Environment({"HOME": str(tmp_path)}).state_dir()) & 0o777 == 0o700


def test_the_agents_files_are_one_users_in_a_shared_directory_too(place: Path) -> None:
    environ = {"AGENT_WORKERS_STATE_DIR": str(place), "AGENT_WORKERS_STATE_MODE": "0770"}
    scratch = place.parent / "scratch"
    config = Path(Environment(environ).agent_environ(scratch)["CLAUDE_CONFIG_DIR"])
    assert (config, rights(config) & 0o777) == (place / "claude", 0o700)

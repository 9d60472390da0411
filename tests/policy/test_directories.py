"""Where a task may work: really, whatever the path looks like."""

from pathlib import Path

import pytest

from agent_workers.errors import PolicyDenied
from agent_workers.policy import DEFAULT
from tests.policy.asking import denied, for_tasks, grant, task

OUTSIDE = "must be inside a directory that the host's policy lists in task.cwd_roots"
NOT_IN_CWD = "must be inside cwd, unless the host's policy lists it in task.cwd_roots"


@pytest.fixture
def srv(tmp_path: Path) -> Path:
    """`app` with `app/sub`, and beside it `app-evil` and `secret`."""
    for name in ("app/sub", "app-evil", "secret"):
        (tmp_path / "srv" / name).mkdir(parents=True)
    return tmp_path / "srv"


def test_a_directory_in_a_root_or_the_root_itself_is_allowed(srv: Path) -> None:
    given = for_tasks(cwd_roots=[str(srv / "gone"), str(srv / "app")])
    for cwd in (srv / "app", srv / "app/sub", f"{srv}/app/", f"{srv}//app/./sub/..", f"/{srv}/app"):
        assert denied(given, task(cwd)) == {}


@pytest.mark.parametrize(
    "path",
    ["app-evil", "secret", ".", "app/..", "app/../secret", "app/sub/../../secret", "APP", "app/gone"],
)
def test_any_other_directory_is_refused_in_the_same_words_if_it_exists_or_not(path: str, srv: Path) -> None:
    assert denied(for_tasks(cwd_roots=[str(srv / "app")]), task(f"{srv}/{path}")) == {"/cwd": OUTSIDE}


def test_no_roots_are_no_directories(srv: Path) -> None:
    assert denied(for_tasks(cwd_roots=[]), task(srv)) == {"/cwd": OUTSIDE}


def test_a_link_is_what_it_leads_to(srv: Path) -> None:
    (srv / "app/out").symlink_to(srv / "secret")
    (srv / "in").symlink_to(srv / "app")
    (srv / "app/loop").symlink_to(srv / "app/loop")
    given = for_tasks(cwd_roots=[str(srv / "app")])
    for way_out in ("app/out", "app/out/../secret", "app/loop"):
        assert denied(given, task(srv / way_out)) == {"/cwd": OUTSIDE}
    assert grant(given, task(srv / "in/sub")).cwd == str(srv / "app/sub")


def test_a_link_between_two_dots_is_followed_before_them(srv: Path) -> None:
    (srv / "app/out").symlink_to(srv / "secret")
    assert denied(for_tasks(cwd_roots=[str(srv / "app")]), task(f"{srv}/app/out/../app-evil")) == {"/cwd": OUTSIDE}


def test_a_root_may_itself_be_a_link(srv: Path) -> None:
    (srv / "current").symlink_to(srv / "app")
    given = for_tasks(cwd_roots=[str(srv / "current")])
    assert grant(given, task(srv / "current/sub")).cwd == str(srv / "app/sub")
    assert denied(given, task(srv / "app")) == {}
    assert denied(given, task(srv)) == {"/cwd": OUTSIDE}


def test_the_whole_disk_may_be_a_root(srv: Path) -> None:
    assert denied(for_tasks(cwd_roots=["/"]), task(srv)) == {}


def test_a_file_is_no_directory(srv: Path) -> None:
    (srv / "app/file").touch()
    assert denied(for_tasks(cwd_roots=[str(srv)]), task(srv / "app/file")) == {"/cwd": OUTSIDE}
    assert grant(DEFAULT, task(srv / "app/file")).cwd == str(srv / "app/file")  # which the worker then refuses


def test_further_directories_lie_in_the_roots_too(srv: Path) -> None:
    (srv / "app/out").symlink_to(srv / "secret")
    request = task(srv / "app/sub", add_dirs=[str(srv / name) for name in ("app", "app-evil", "app/out")])
    assert denied(for_tasks(cwd_roots=[str(srv / "app")]), request) == {"/add_dirs/1": OUTSIDE, "/add_dirs/2": OUTSIDE}
    granted = grant(for_tasks(cwd_roots=[str(srv)]), request)
    assert granted.add_dirs == [str(srv / name) for name in ("app", "app-evil", "secret")]


def test_without_roots_further_directories_lie_in_the_working_directory(srv: Path) -> None:
    (srv / "in").symlink_to(srv / "app")
    request = task(srv / "in", add_dirs=[f"{srv}/app/sub", f"{srv}/in/sub", f"{srv}/secret", f"{srv}/app-evil"])
    for given in (DEFAULT, for_tasks()):
        assert denied(given, request) == {"/add_dirs/2": NOT_IN_CWD, "/add_dirs/3": NOT_IN_CWD}


def test_the_request_goes_on_with_real_directories(srv: Path) -> None:
    (srv / "in").symlink_to(srv / "app")
    granted = grant(DEFAULT, task(f"{srv}/in/../in", add_dirs=[f"{srv}/in/sub"]))
    assert (granted.cwd, granted.add_dirs) == (str(srv / "app"), [str(srv / "app/sub")])


@pytest.mark.parametrize("name", ["*", "**", "a?", "[ab]", "a\\b", "a\nb", "a ", "a\t", "a\u00a0", "a\ufeff", "a /b"])
def test_a_directory_that_a_rule_would_take_for_another_is_refused(name: str, srv: Path) -> None:
    (srv / "app" / name).mkdir(parents=True)
    (srv / "harmless").symlink_to(srv / "app" / name)
    for cwd in (srv / "app" / name, srv / "harmless"):
        [(place, message)] = denied(DEFAULT, task(cwd)).items()
        assert place == "/cwd"
        assert message.endswith("rules would misread them")


@pytest.mark.parametrize("name", ["with space", " a", "Größe", "(copy)", "{a,b}", "a,b", "~", "-x", "$HOME"])
def test_a_directory_may_have_any_other_name(name: str, srv: Path) -> None:
    (srv / name).mkdir()
    assert grant(DEFAULT, task(srv / name)).cwd == str(srv / name)


def test_no_path_of_the_host_is_told_to_the_caller_but_all_to_the_operator(srv: Path) -> None:
    (srv / "app/out").symlink_to(srv / "secret")
    with pytest.raises(PolicyDenied) as denial:
        grant(for_tasks(cwd_roots=[str(srv / "app-evil")]), task(srv / "app/out"))
    assert str(srv) not in denial.value.message + str(denial.value.details)
    assert f"/cwd: '{srv}/secret' is not in '{srv}/app-evil'" in denial.value.cause


def test_a_path_cannot_forge_a_line_of_the_log(srv: Path) -> None:
    with pytest.raises(PolicyDenied) as denial:
        grant(for_tasks(cwd_roots=[str(srv)]), task(f"{srv}/\nagent-task: all is well\x1b[2J\u2028"))
    assert denial.value.cause.isascii()
    assert denial.value.cause.isprintable()


def test_a_link_that_leads_nowhere_is_refused(srv: Path) -> None:
    (srv / "app/loop").symlink_to(srv / "app/loop")
    assert denied(for_tasks(cwd_roots=[str(srv)]), task(srv / "app/loop")) == {"/cwd": OUTSIDE}

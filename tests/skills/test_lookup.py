"""Where skills are found."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent_workers.skills import lookup
from agent_workers.skills.lookup import Found, SkillNotFound, all_skills, find, places
from tests.skills.folder import Folder
from tests.waiting import PATIENCE_S

NOBODY = 65534
VARIABLE = "AGENT_WORKERS_SKILLS_PATH"


@pytest.fixture(autouse=True)
def bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What is bundled, for these tests."""
    monkeypatch.setattr(lookup, "BUNDLED", tmp_path / "bundled")
    return lookup.BUNDLED


@pytest.fixture
def cwd(tmp_path: Path) -> Path:
    return tmp_path / "app"


def skill(place: Path, name: str = "deal-score") -> Path:
    return Folder(place, name).write()


def package(site: Path, name: str, value: str, modules: str) -> None:
    """What an installer leaves of a package that declares skills."""
    information = site / f"{name}-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(f"[agent_workers.skills]\n{name} = {value}\n")
    folder = site / modules
    folder.mkdir(parents=True)
    for each in [folder, *folder.parents]:
        if each == site:
            break
        (each / "__init__.py").write_text("raise RuntimeError('was imported')\n")


def found(cwd: Path, **environ: str) -> list[tuple[str, str, str | None]]:
    return [
        (str(each.folder.relative_to(cwd.parent)), each.place.source, each.hidden_by and each.hidden_by.parent.name)
        for each in all_skills(environ, cwd)
    ]


def test_each_place_is_looked_in_in_its_order(
    cwd: Path, tmp_path: Path, bundled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path / "site", "acme", "acme_skills", "acme_skills")
    monkeypatch.syspath_prepend(tmp_path / "site")
    environ = {VARIABLE: f"{tmp_path / 'one'}::{tmp_path / 'two'}:"}
    assert [(place.source, place.folder) for place in places(environ, cwd)] == [
        (VARIABLE, tmp_path / "one"),
        (VARIABLE, tmp_path / "two"),
        ("the working directory", cwd / ".agents/skills"),
        ("package acme_skills", tmp_path / "site/acme_skills"),
        ("bundled", bundled),
    ]
    expected = [place.folder for place in places(environ, cwd)]
    for place in reversed(expected):
        assert place
        folder = skill(place)
        assert find("deal-score", environ, cwd) == folder
    assert [(each.folder.parent, each.hidden_by) for each in all_skills(environ, cwd)] == [
        (place, None if place == expected[0] else expected[0] / "deal-score") for place in expected if expected[0]
    ]


def test_a_relative_path_begins_at_the_working_directory(cwd: Path) -> None:
    folder = skill(cwd / "skills")
    assert find("deal-score", {VARIABLE: "skills"}, cwd) == folder


def test_a_place_that_is_named_twice_hides_nothing(cwd: Path) -> None:
    skill(cwd / ".agents/skills")
    (cwd / "link").symlink_to(".agents")
    path = f"{cwd / '.agents/skills'}:{cwd / 'link/skills'}:{cwd}/./.agents/skills/"
    assert found(cwd, **{VARIABLE: path}) == [("app/.agents/skills/deal-score", VARIABLE, None)]


def test_places_that_do_not_exist_are_nothing(cwd: Path) -> None:
    environ = {VARIABLE: "/nowhere:gone"}
    assert all_skills(environ, cwd) == []
    assert [place.fault for place in places(environ, cwd)] == [None] * 4


def test_a_place_that_cannot_be_read_is_told_and_the_others_are_read(cwd: Path, bundled: Path) -> None:
    skill(bundled)
    cwd.mkdir()
    (cwd / "file").touch()
    own = skill(cwd / "own")
    environ = {VARIABLE: f"file:{own}"}
    assert [place.fault for place in places(environ, cwd)] == [
        "cannot be read: Not a directory",
        "is a skill itself; name the folder that holds it",
        None,
        None,
    ]
    assert [each.folder for each in all_skills(environ, cwd)] == [bundled / "deal-score"]


def test_a_place_without_permission_is_told(cwd: Path) -> None:
    cwd.mkdir()
    cwd.joinpath("closed").mkdir(mode=0)
    user = os.geteuid()
    os.seteuid(user or NOBODY)  # root may read everything
    try:
        [place, *_] = places({VARIABLE: str(cwd / "closed")}, Path("/"))
        assert all_skills({VARIABLE: str(cwd / "closed")}, Path("/")) == []
    finally:
        os.seteuid(user)
    assert place.fault == "cannot be read: Permission denied"


def test_a_skill_that_is_not_complete_is_found_and_other_folders_are_not(cwd: Path) -> None:
    place = cwd / ".agents/skills"
    for name, file in (("a", "SKILL.md"), ("b", "skill.md"), ("c", "output.schema.json"), ("D", "SKILL.md")):
        (place / name).mkdir(parents=True)
        (place / name / file).touch()
    (place / "shared").mkdir()
    (place / ".git").mkdir()
    (place / ".git/SKILL.md").touch()
    (place / "README.md").touch()
    assert [each.name for each in all_skills({}, cwd)] == ["D", "a", "b", "c"]
    assert find("b", {}, cwd) == place / "b"
    with pytest.raises(SkillNotFound):
        find("shared", {}, cwd)


def test_skills_of_a_place_come_by_name(cwd: Path) -> None:
    for name in ("b", "c", "a"):
        skill(cwd / ".agents/skills", name)
    assert all_skills({}, cwd)[1] == Found("b", cwd / ".agents/skills/b", places({}, cwd)[0])


@pytest.mark.parametrize("name", ["", ".", "..", "../deal-score", "deal-score/", "/etc", "Deal-Score", "a" * 10_000])
def test_only_a_name_is_looked_for_never_a_path(cwd: Path, name: str) -> None:
    skill(cwd / ".agents/skills")
    with pytest.raises(SkillNotFound) as missing:
        find(name, {}, cwd)
    assert len(str(missing.value)) < 200


def test_what_is_not_found_is_told_with_near_names_and_the_places(cwd: Path, bundled: Path) -> None:
    for name in ("partner-health", "partner-wealth", "deal-score"):
        skill(cwd / ".agents/skills", name)
    skill(bundled, "partner-health")
    with pytest.raises(SkillNotFound, match=r"^there is no skill called 'partner_helth'$") as missing:
        find("partner_helth", {}, cwd)
    assert missing.value.nearest == "partner-health"
    assert missing.value.told() == (
        "there is no skill called 'partner_helth'; did you mean partner-health or partner-wealth? "
        f"looked in {cwd}/.agents/skills, {bundled}"
    )


def test_where_no_name_is_near_none_is_told(cwd: Path, bundled: Path) -> None:
    skill(bundled)
    with pytest.raises(SkillNotFound) as missing:
        find("quite-another", {}, cwd)
    assert missing.value.nearest is None
    assert (
        missing.value.told() == f"there is no skill called 'quite-another'; looked in {cwd}/.agents/skills, {bundled}"
    )


@pytest.mark.parametrize("value", ["acme_skills", "acme.packs.skills", "acme.skills:anything"])
def test_a_package_that_declares_skills_is_not_imported(
    cwd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    modules = value.partition(":")[0].replace(".", "/")
    package(tmp_path / "site", "acme", value, modules)
    folder = skill(tmp_path / "site" / modules)
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert find("deal-score", {}, cwd) == folder
    assert [place.fault for place in places({}, cwd)] == [None] * 3


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("acme.gone", "is no package that is installed"),
        ("gone.skills", "is no package that is installed"),
        ("acme.module", "is no package that is installed"),
        ("json.decoder", "is no package that is installed"),
        ("not a name", "cannot be found: "),
        ("..acme", "cannot be found: "),
        ("", "cannot be found: "),
    ],
)
def test_a_package_that_is_not_there_is_told_and_the_others_are_read(
    cwd: Path, tmp_path: Path, bundled: Path, monkeypatch: pytest.MonkeyPatch, *, value: str, fault: str
) -> None:
    package(tmp_path / "site", "acme", value, "acme")
    (tmp_path / "site/acme/module.py").touch()
    folder = skill(bundled)
    monkeypatch.syspath_prepend(tmp_path / "site")
    [told] = [place for place in places({}, cwd) if place.fault]
    assert (told.folder, told.source) == (None, f"package {value}")
    assert told.fault is not None
    assert told.fault.startswith(fault)
    assert find("deal-score", {}, cwd) == folder


def test_a_package_without_modules_of_its_own_has_all_its_folders(
    cwd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path / "site", "acme", "acme_skills", "unused")
    for part, name in (("site", "a"), ("site2", "b")):
        skill(tmp_path / part / "acme_skills", name)
        monkeypatch.syspath_prepend(tmp_path / part)
    assert {each.name for each in all_skills({}, cwd)} == {"a", "b"}


def test_another_python_finds_the_same(cwd: Path, tmp_path: Path) -> None:
    package(tmp_path / "site", "acme", "acme.skills", "acme/skills")
    skill(tmp_path / "site/acme/skills")
    code = (
        "import json, sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path;"
        "from agent_workers.skills.lookup import find;"
        "print(json.dumps([str(find('deal-score', {}, Path(sys.argv[2]))), 'acme' in sys.modules]))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "site"), str(cwd)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    assert json.loads(ran.stdout) == [str(tmp_path / "site/acme/skills/deal-score"), False]

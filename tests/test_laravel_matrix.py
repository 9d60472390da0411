"""``tools/laravel-matrix``: the Laravel tests against Laravels that the caller brings."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parent.parent
DEBIAN = "/usr/share/php"


def matrix(*paths: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    chat = str(Path(sys.executable).with_name("agent-chat"))
    environ = {"PATH": os.environ["PATH"], "AGENT_CHAT_BIN": chat, "PHPUNIT": "phpunit --filter ValidationTest"}
    command = [str(ROOT / "tools/laravel-matrix"), *map(str, paths)]
    return subprocess.run(
        command, env=environ | variables, capture_output=True, text=True, timeout=300, check=False, cwd="/"
    )


def tree(root: Path, version: str) -> Path:
    """A tree whose Laravel is Debian's but for its version."""
    (root / "vendor").mkdir(parents=True)
    loader = "<?php require_once 'Illuminate/autoload.php'; require_once 'Mockery/autoload.php';"
    (root / "vendor/autoload.php").write_text(
        f"{loader} eval(str_replace(['<?php', \"VERSION = '8.83.26'\"], ['', \"VERSION = '{version}'\"], "
        "file_get_contents('/usr/share/php/Illuminate/Foundation/Application.php')));"
    )
    return root


def test_each_tree_is_told_with_its_version_and_what_came_of_it(tmp_path: Path) -> None:
    ran = matrix(DEBIAN, tree(tmp_path / "brought", "10.9.8"))
    assert ran.returncode == 0, ran.stderr
    installed, brought = ran.stdout.splitlines()
    assert installed.startswith("Laravel 8.")
    assert brought.startswith("Laravel 10.9.8, PHP 8.")
    for line in (installed, brought):
        assert f"{datetime.now(UTC):%Y-%m}" in line
        assert "OK (" in line


def test_one_that_fails_does_not_hide_the_others(tmp_path: Path) -> None:
    ran = matrix(tmp_path / "nothing", DEBIAN)
    assert ran.returncode == 2
    assert f"{tmp_path}/nothing has neither vendor/autoload.php nor Illuminate/autoload.php" in ran.stderr
    assert "OK (" in ran.stdout
    broken = tree(tmp_path / "broken", "9.9.9")
    with (broken / "vendor/autoload.php").open("a") as loader:
        loader.write("eval('namespace AgentWorkers\\\\Laravel\\\\Http; class ChatRequest {}');")
    failed = matrix(broken)
    assert (failed.returncode, "FAILED" in failed.stdout) == (1, True)
    assert "Laravel 9.9.9" in failed.stdout


def test_without_a_path_it_says_how_it_is_used() -> None:
    asked = matrix()
    assert (asked.returncode, asked.stdout) == (2, "")
    assert "tools/laravel-matrix PATH" in asked.stderr

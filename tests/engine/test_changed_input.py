"""An input that somebody has changed passes the same checks as the model's own."""

from pathlib import Path
from typing import Any

import pytest

from agent_workers.engine.claude.questions.changed_input import objection


def bash(command: str) -> dict[str, Any]:
    return {"command": command}


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("Bash", {}),
        ("Bash", {"description": "d"}),
        ("Bash", {"command": ["rm", "x"]}),
        ("Bash", {"command": "ls", "cmd": "rm"}),
        ("Bash", {"command": "ls", "timeout": "1"}),
        ("Read", {"file_path": "a", "limit": True}),
        ("Write", {"file_path": "a"}),
        ("Grep", {"pattern": "x", "output_mode": "all"}),
        ("NotebookEdit", {"notebook_path": "a", "new_source": "x", "edit_mode": ["delete"]}),
        ("Agent", {"description": "x", "prompt": "x", "model": "claude-opus-5-5"}),
        ("mcp__crm__find", {}),
    ],
    ids=str,
)
def test_an_input_that_does_not_fit_the_tool_is_refused(name: str, changed: dict[str, Any]) -> None:
    assert objection(name, changed, [], "/srv/project")


def test_a_deny_rule_holds_for_a_changed_input() -> None:
    inputs: list[tuple[str, str, dict[str, Any]]] = [
        *(
            ("Bash(rm:*)", "Bash", bash(command))
            for command in (
                *("rm x", " rm x", "ls; rm x", "ls && rm -rf x", "ls|rm x", "X=1 rm x", "sudo rm x", "timeout 5 rm x"),
                *(
                    "$(rm x)",
                    "`rm x`",
                    "(rm x)",
                    "{ rm x; }",
                    "bash -c 'rm x'",
                    "r\\m x",
                    "'rm' x",
                    "r''m x",
                    "/bin/rm x",
                ),
                *("xargs rm", "find . -exec rm {} +", "ls\nrm x", "rm", "if true; then rm x; fi", "env rm x", "rm\tx"),
            )
        ),
        ("Bash(git push *)", "Bash", bash("git  push --force")),
        ("Bash(git push)", "Bash", bash("git push > log")),
        ("Bash", "Bash", bash("ls")),
        ("Read(secret/**)", "Read", {"file_path": "secret/s"}),
        ("Read(secret/**)", "Read", {"file_path": "/srv/project/x/../secret/s"}),
        ("Read(secret/**)", "Grep", {"pattern": "x", "path": "secret"}),
        ("Grep(secret/**)", "Read", {"file_path": "secret/s"}),
        ("Read(secret/**)", "Bash", bash("cat secret/s")),
        ("Read(secret/**)", "Bash", bash("cd secret && cat s")),
        ("Read(secret/**)", "Bash", bash("cat secre*/s")),
        ("Edit(.env)", "Write", {"file_path": "deep/.env", "content": "x"}),
        ("Write(.env)", "Edit", {"file_path": ".ENV", "old_string": "a", "new_string": "b"}),
        ("Edit(//etc/**)", "Write", {"file_path": "/etc/x", "content": "x"}),
        ("Read(~/.ssh/**)", "Read", {"file_path": "~/.ssh/id"}),
        ("WebFetch(domain:evil.test)", "WebFetch", {"url": "https://EVIL.test/", "prompt": "x"}),
        *(
            ("WebFetch(domain:evil.test)", "WebFetch", {"url": url, "prompt": "x"})
            for url in (
                "https://%65vil.test/",
                "https://ev\til.test/",
                "https://\uff45vil.test/",
                "https://evil\u3002test",
            )
        ),
        ("mcp__crm", "mcp__crm__drop", {"a": 1}),
    ]
    for rule, name, changed in inputs:
        assert rule in (objection(name, changed, ["Bash(none)", rule], "/srv/project") or ""), changed


@pytest.mark.parametrize(
    ("rule", "name", "changed"),
    [
        ("Bash(rm:*)", "Bash", bash("touch better")),
        ("Bash(rm:*)", "Bash", bash("rmdir x; ls term")),
        ("Read(secret/**)", "Read", {"file_path": "secrets/s"}),
        ("Read(secret/**)", "Write", {"file_path": "secret/s", "content": "x"}),
        ("Edit(.env)", "Write", {"file_path": "env", "content": "x"}),
        ("WebFetch(domain:evil.test)", "WebFetch", {"url": "https://example.com/", "prompt": "x"}),
        ("mcp__crm__drop", "mcp__crm__find", {"a": 1}),
    ],
    ids=str,
)
def test_other_inputs_run(rule: str, name: str, changed: dict[str, Any]) -> None:
    assert objection(name, changed, [rule], "/srv/project") is None


def test_links_do_not_lead_round_a_deny_rule(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    assert objection("Read", {"file_path": "link/s"}, ["Read(secret/**)"], str(tmp_path))


def test_a_rule_holds_in_a_directory_whose_name_is_like_a_pattern(tmp_path: Path) -> None:
    cwd = tmp_path / "[customer] *"
    for path in ("secret/s", cwd / "secret" / "s"):
        assert objection("Read", {"file_path": str(path)}, ["Read(secret/**)"], str(cwd))

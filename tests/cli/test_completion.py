"""Completion by the shell, of ``agent-workers`` and of the workers."""

import shutil

import pytest

from tests.cli.conftest import Scripts

pytestmark = pytest.mark.usefixtures("loaded")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_serves_both_programs(shell: str, scripts: Scripts) -> None:
    script = scripts("agent-workers", "completion", shell).stdout
    for program, variable in [("agent-workers", "_AGENT_WORKERS_COMPLETE"), ("agent-chat", "_AGENT_CHAT_COMPLETE")]:
        assert program in script
        assert f"{variable}={shell}_complete" in script


@pytest.mark.usefixtures("installed")
def test_another_shell_is_refused(scripts: Scripts) -> None:
    assert scripts("agent-workers", "completion", "tcsh").returncode == 2


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes(scripts: Scripts) -> None:
    completions = {
        "agent-workers rep": "replay",
        "agent-workers schema events/del": "events/delta",
        "agent-workers simulate --scenario rate-limited-429-": "rate-limited-429-long",
        "agent-workers pool sta": "status",
        "agent-workers pool --min": "--min-idle",
        "agent-workers pool status --proc": "--processes",
        "agent-workers fleet sub": "submit",
        "agent-workers fleet follow --aft": "--after",
        "agent-workers fleet dead retry --al": "--all",
        "agent-workers fleet limits set ten": "tenant",
        "agent-chat --pre": "--pretty",
        "agent-chat --simulate hel": "hello",
        "agent-chat --control --pr": "--pretty",
        "agent-chat --pool-": "--pool-name",
        "agent-skill ne": "new",
        "agent-skill partner-h": "partner-health",
        "agent-skill show partner-h": "partner-health",
        "agent-skill check deal-score partner-h": "partner-health",
        "agent-skill list --js": "--json",
        "agent-skill partner-health --res": "--result",
        "agent-skill --res": "--result",
    }
    each = (
        'eval "$(agent-workers completion bash)"; while read -ru 3 -a COMP_WORDS; do '
        "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMPREPLY=(); name=${COMP_WORDS[0]}; "
        '"_${name//-/_}_completion" "$name"; echo "${COMP_WORDS[*]}: ${COMPREPLY[*]}"; done 3<&0 < /dev/null'
    )
    completed = scripts("bash", "-c", each, given="".join(f"{words}\n" for words in completions))
    found = dict(line.split(": ") for line in completed.stdout.splitlines())
    assert found == completions, completed.stderr


@pytest.mark.usefixtures("installed")
def test_a_worker_asked_for_completions_reads_no_request(scripts: Scripts) -> None:
    variables = {"_AGENT_CHAT_COMPLETE": "bash_complete", "COMP_WORDS": "agent-chat --", "COMP_CWORD": "1"}
    answered = scripts("agent-chat", given="not a request", env=variables)
    assert answered.returncode == 0
    assert "plain,--simulate" in answered.stdout.splitlines()

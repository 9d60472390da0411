"""The command lines. Nothing is imported here on purpose: a worker starts for every request and pays for it."""

import agent_workers

if getattr(agent_workers, "DISTRIBUTION", None) != "claude-agent-workers":
    from agent_workers.cli.shadowed import refuse

    refuse(agent_workers.__file__)


def start() -> None:
    """Starts the program that the first argument names; the console script ``agent-workers-entry``.

    ``bin/launcher`` calls it, so that Python starts without the caller's variables.
    """
    import sys

    program = sys.argv.pop(1) if len(sys.argv) > 1 else "agent-workers"
    if program == "agent-workers":
        main()
    elif program == "agent-batch":
        _start_batch()
    elif program == "agent-skill":
        _start_skill()
    else:
        _start_worker(program)


def _start_worker(name: str) -> None:
    """Serves one request: through a pool where one is asked for and there, else here."""
    import os
    import sys

    is_asked = any(word == "--pool" or word.startswith("--pool=") for word in sys.argv)
    if (is_asked or os.environ.get("AGENT_WORKERS_POOL")) and completion_variable(name) not in os.environ:
        from agent_workers.cli.pooled.start import run_in_pool  # in place of all that a worker imports

        run_in_pool(name)
    from agent_workers.cli.worker import start_worker

    start_worker(name)


def _start_batch() -> None:
    try:
        from agent_workers.cli.batch import main as start_batch
    except ModuleNotFoundError as missing:
        if missing.name != "stamina":
            raise
        import sys

        sys.exit("agent-batch: stamina is missing. In a clone of this project: pip install '.[batch]'")
    start_batch()


def _start_skill() -> None:
    """Starts a command about skills; anything else is a run, which does not pay for click."""
    import os
    import sys

    from agent_workers.skills.names import COMMANDS

    completing = completion_variable("agent-skill") in os.environ
    words = os.environ.get("COMP_WORDS", "").split() if completing else sys.argv
    first = words[1] if len(words) > 1 else ""
    is_first_word = completing and len(words) <= 2 and not first.startswith("-")  # noqa: PLR2004 the program and one
    if first in COMMANDS or is_first_word:
        _start_skill_command()
    else:
        _start_worker("agent-skill")


def _start_skill_command() -> None:
    try:
        from agent_workers.skills import yaml_text  # noqa: F401 what a command imports late would fail there
    except ModuleNotFoundError as missing:
        if missing.name != "yaml":
            raise
        import sys

        sys.exit("agent-skill: pyyaml is missing. In a clone of this project: pip install '.[skills]'")
    from agent_workers.cli.skill import main as start_command

    start_command()


def main() -> None:
    """Runs the program ``agent-workers``."""
    import os
    import sys

    from agent_workers.stdio.inherited import fill_standard_streams, reset_inherited

    reset_inherited()
    fill_standard_streams()
    if sys.argv[1:2] == ["convert"] and completion_variable("agent-workers") not in os.environ:
        from agent_workers.cli.convert import convert  # a page waits for it, and the other commands take long to import

        convert(sys.argv[2:], prog_name="agent-workers convert")
    else:
        from agent_workers.cli.umbrella import agent_workers

        agent_workers(prog_name="agent-workers")


def completion_variable(program: str) -> str:
    """Returns the variable by which a shell asks a program for completions; the rule is click's."""
    return f"_{program.replace('-', '_').upper()}_COMPLETE"

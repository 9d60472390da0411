"""The command lines. Nothing is imported here on purpose: a worker starts for every request and pays for it."""


def main() -> None:
    """The console script ``agent-workers``."""
    from .umbrella import agent_workers  # noqa: PLC0415 brings click

    agent_workers(prog_name="agent-workers")


def completion_variable(program: str) -> str:
    """The variable by which a shell asks a program for completions; click's own rule."""
    return f"_{program.replace('-', '_').upper()}_COMPLETE"

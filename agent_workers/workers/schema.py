"""The contract's schema files: the events, the control messages, the requests and jobs of every worker, and AsyncAPI.

``python -m agent_workers.workers.schema [--check] [DIR]`` writes them into DIR (default: schemas). With --check it
writes none, says which of them differ and then exits with 1.
"""

import argparse
import sys
from pathlib import Path

from pydantic import BaseModel

from agent_workers.protocol import schema
from agent_workers.protocol.schema import ASYNCAPI, FOLDER
from agent_workers.protocol.v1.job import model_of
from agent_workers.workers import WORKERS, schema_name


def export() -> dict[str, str]:
    """Returns every schema file: its path, such as ``v1/events/delta.schema.json``, and its text in ASCII."""
    return schema.export(_requests(), [model_of(worker.request, name) for name, worker in WORKERS.items()])


def documents() -> dict[str, str]:
    """Returns what is made of the schemas besides, likewise."""
    return {ASYNCAPI: schema.asyncapi(_requests())}


def _requests() -> dict[str, type[BaseModel]]:
    return {schema_name(name): worker.request for name, worker in WORKERS.items()}


def _differing(folder: Path, files: dict[str, str]) -> list[str]:
    return [name for name, text in files.items() if not _holds(folder / name, text)] + _stale(folder, files)


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="ascii", errors="replace") == text


def _stale(folder: Path, files: dict[str, str]) -> list[str]:
    found = {path.relative_to(folder).as_posix() for path in (folder / FOLDER).rglob("*.schema.json")}
    return sorted(found - files.keys())


def _write(folder: Path, files: dict[str, str]) -> None:
    for name in _stale(folder, files):
        (folder / name).unlink()
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="ascii")


def main(arguments: list[str] | None = None) -> int:
    """Writes or checks the schema files; returns whether they are up to date, as an exit status."""
    parser = argparse.ArgumentParser(prog="python -m agent_workers.workers.schema", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, say what differs")
    parser.add_argument("folder", nargs="?", default="schemas", type=Path)
    options = parser.parse_args(arguments)
    files = export() | documents()
    if not options.check:
        _write(options.folder, files)
        return 0
    differing = _differing(options.folder, files)
    sys.stderr.writelines(f"{options.folder / name} differs; run `make schema`\n" for name in differing)
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())

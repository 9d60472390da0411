"""The contract's TypeScript declarations, ``schemas/v1/agent-workers.d.ts``, written by json-schema-to-typescript.

``python tools/types/declarations.py`` writes them. With --check it writes none, says what is wrong with them, and then
exits with 1: it compares two digests that the file bears, of what it was made from and of the rest of the file, and so
needs no Node.
"""

import argparse
import hashlib
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "tools/types"
NAME = "agent-workers.d.ts"
HEAD = """// Generated from schemas/v1/*.schema.json by `make types` (json-schema-to-typescript). Do not edit.
// Made of {sources}; what follows is {text}.

"""
STAMP = re.compile(re.escape(HEAD).replace(r"\{sources\}", "([0-9a-f]{64})").replace(r"\{text\}", "([0-9a-f]{64})"))


def sources(schemas: Path) -> str:
    """Returns the digest of all that the declarations are made from: the schemas, the generator, and its lock file."""
    files = sorted(schemas.rglob("*.schema.json"))
    named = {path.relative_to(schemas).as_posix(): path for path in files}
    named |= {path.name: path for path in (TOOL / "generate.mjs", TOOL / "package-lock.json")}
    return digest("".join(f"{name} {digest(path.read_text('utf-8'))}\n" for name, path in named.items()))


def digest(text: str) -> str:
    """Returns the SHA-256 of a text, in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def generated(schemas: Path) -> str:
    """Returns the declarations as they should be."""
    command = ["node", str(TOOL / "generate.mjs"), str(schemas)]
    text = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=120).stdout
    return HEAD.format(sources=sources(schemas), text=digest(text)) + text


def fault(schemas: Path) -> str | None:
    """Returns what is wrong with the declarations of a folder of schemas; None where they are up to date."""
    path = schemas / NAME
    found = STAMP.match(path.read_text("utf-8")) if path.is_file() else None
    if not found:
        return "is missing, or has no stamp"
    if found[1] != sources(schemas):
        return "is older than the schemas or its generator"
    return None if found[2] == digest(path.read_text("utf-8")[found.end() :]) else "was edited by hand"


def main() -> int:
    """Writes or checks the declarations; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, say what is wrong")
    parser.add_argument("schemas", nargs="?", default=ROOT / "schemas/v1", type=Path)
    options = parser.parse_args()
    if not options.check:
        (options.schemas / NAME).write_text(generated(options.schemas), "utf-8")
        return 0
    wrong = fault(options.schemas)
    if wrong:
        sys.stderr.write(f"{options.schemas / NAME} {wrong}; run `make types`\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

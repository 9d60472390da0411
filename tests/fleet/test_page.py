"""The first steps on the fleet's page can be followed word by word."""

import re
import subprocess
from pathlib import Path

from tests.e2e.worker import SCRIPTS, Home
from tests.fleet.redis_server import RedisServer
from tests.waiting import PATIENCE_S

PAGE = (Path(__file__).parents[2] / "docs/fleet.md").read_text("utf-8")


def snippets(heading: str, redis: RedisServer) -> list[str]:
    """The commands of a section, for a Redis that is there."""
    text = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [
        re.sub(r"^redis-server .*\n", "", each, flags=re.MULTILINE).replace("6390", str(redis.port)) for each in found
    ]


def test_the_first_steps_lead_to_an_answer(home: Home, redis: RedisServer) -> None:
    machine, user = snippets("Try it", redis)
    env = home.environ | {"PATH": f"{SCRIPTS}:{home.environ['PATH']}"}
    working = subprocess.Popen(
        ["bash", "-euc", f"{machine.rstrip()} 2>/dev/null & echo $!; wait"], env=env, stdout=subprocess.PIPE
    )
    try:
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", user],
            env=env,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        assert "You said: Hello" in ran.stdout
    finally:
        assert working.stdout
        subprocess.run(["kill", working.stdout.readline().strip()], check=True, timeout=PATIENCE_S)
        working.wait(PATIENCE_S)
        working.stdout.close()

"""`make demo-laravel`, without make."""

import os
import re
import signal
import subprocess
from pathlib import Path

from .site import PATH, PATIENCE_S, REPOSITORY, environ_of, free_port, pids, until
from .visitor import Visitor


def test_the_demo_answers_by_the_simulator_and_leaves_nothing_running(tmp_path: Path) -> None:
    port = free_port()
    node = os.environ["PATH"]  # the bundle may have to be built
    environ = {"PATH": f"{node}:{PATH}", "HOME": str(tmp_path), "TMPDIR": str(tmp_path), "PORT": str(port)}
    environ["AGENT_WORKERS_STATE_DIR"] = str(tmp_path / "state")
    output = tmp_path / "output"
    with output.open("wb") as out:
        demo = subprocess.Popen(
            [REPOSITORY / "examples/laravel/serve.sh"], env=environ, stdout=out, start_new_session=True
        )
    try:
        until(lambda: demo.poll() is not None or "Ctrl-C ends it.\n" in output.read_text()[-20:], 300)
        text = output.read_text()
        assert "The simulator answers" in text
        assert re.search(rf"http://127\.0\.0\.1:{port}/$", text, re.MULTILINE)
        visitor = Visitor(port)
        with visitor.ask("Hello [[scenario:hello]]") as stream:
            assert "You said: Hello" in stream.wait_for("done")["text"]
        with visitor.ask("Prepare the fair.", address="/task") as stream:
            question = stream.wait_for("permission_request")
            address = f"/task/{stream.run}/permissions/{question['permission_id']}"
            assert visitor.post(address, {"behavior": "deny"}).status_code == 204
            assert "Murtal Messebau" in stream.wait_for("done")["text"]
        with visitor.ask("Stop this. [[scenario:slow]]") as stream:
            stream.wait_for("delta")
            os.killpg(demo.pid, signal.SIGINT)
            demo.wait(PATIENCE_S)
        visitor.http.close()
        mark = f"HOME={tmp_path}".encode()
        until(lambda: not [pid for pid in pids() if mark in environ_of(pid)], 15)
    finally:
        if demo.poll() is None:
            os.killpg(demo.pid, signal.SIGKILL)
            demo.wait(PATIENCE_S)

"""The gateway behind nginx, with the example's file."""

import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway.served import Served
from tests.waiting import PATIENCE_S, until

FILE = Path(__file__).parents[2] / "examples/servers/gateway.nginx.conf"
pytestmark = pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx")


@pytest.fixture(scope="module")
def proxied(gateway: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The same gateway, at the proxy's port."""
    folder = tmp_path_factory.mktemp("nginx")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    site = FILE.read_text().replace("127.0.0.1:8300", f"127.0.0.1:{gateway.port}").replace(":8081", f":{port}")
    paths = "".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    http = f"http {{ access_log off; {paths} {site} }}"
    (folder / "nginx.conf").write_text(f"daemon off; pid {folder}/pid; error_log {folder}/log; events {{}} {http}")
    process = subprocess.Popen(["nginx", "-c", folder / "nginx.conf", "-p", folder], stderr=subprocess.DEVNULL)
    behind = Served.__new__(Served)
    behind.__dict__ |= {**gateway.__dict__, "port": port}

    def is_up() -> bool:
        try:
            return behind.ask("GET", "/").status == 404
        except OSError:
            return False

    until(is_up, what=(folder / "log").read_text)
    yield behind
    process.send_signal(signal.SIGQUIT)
    process.wait(PATIENCE_S)


def test_events_come_one_by_one(proxied: Served) -> None:
    with proxied.streaming("hold") as stream:
        assert stream.wait_for("delta").json["text"] == "held"
        assert proxied.post(f"/v1/runs/{stream.run}/steer", {"text": "now"}).status == 202
        assert stream.wait_for("delta").json["text"] == "now"


def test_runs_start_whatever_a_visitor_says_of_its_address(proxied: Served) -> None:
    assert proxied.run("echo").status == 200
    assert proxied.post("/v1/runs", {"prompt": "echo"}, X_Forwarded_For="10.0.0.1").status == 200


def test_health_and_figures_are_not_for_visitors(proxied: Served) -> None:
    for path in ("/metrics", "/healthz", "/readyz", "/openapi.json"):
        assert proxied.ask("GET", path).status == 404


def test_a_body_of_a_gigabyte_does_not_reach_the_gateway(proxied: Served) -> None:
    assert proxied.post("/v1/runs", b"x" * 2_000_000).status == 413

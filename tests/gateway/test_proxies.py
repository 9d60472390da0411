"""The gateway behind a proxy, with the examples' files."""

import http.client
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.gateway.lent import Faker
from tests.gateway.served import Served
from tests.waiting import PATIENCE_S, until

EXAMPLES = Path(__file__).parents[2] / "examples/servers"


def nginx(folder: Path, site: str) -> list[str]:
    names = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{name}_temp_path {folder}/{name};" for name in names)
    http = f"http {{ access_log off; {paths} {site} }}"
    (folder / "nginx.conf").write_text(f"daemon off; pid {folder}/pid; error_log {folder}/log; events {{}} {http}")
    return ["nginx", "-c", str(folder / "nginx.conf"), "-p", str(folder)]


def caddy(folder: Path, site: str) -> list[str]:
    (folder / "Caddyfile").write_text(f"{{\n\tadmin off\n\tauto_https off\n}}\n{site}")
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


PROXIES = {
    "nginx": ("gateway.nginx.conf", nginx, signal.SIGQUIT),
    "caddy": ("gateway.Caddyfile", caddy, signal.SIGTERM),
}


@pytest.fixture(scope="module", params=PROXIES)
def proxied(
    request: pytest.FixtureRequest, gateway: Served, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """The same gateway, at the proxy's port."""
    if shutil.which(request.param) is None:
        pytest.skip(f"needs {request.param}")
    file, command_of, end = PROXIES[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    site = (EXAMPLES / file).read_text().replace("127.0.0.1:8300", f"127.0.0.1:{gateway.port}")
    command = command_of(folder, site.replace(":8081", f":{port}"))
    env = {"PATH": "/usr/sbin:/usr/bin:/bin", "HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, env=env)
    behind = Served.__new__(Served)
    behind.__dict__ |= {**gateway.__dict__, "port": port}

    def is_up() -> bool:
        assert process.poll() is None, (folder / "said").read_text()
        try:
            return behind.ask("GET", "/").status == 404
        except OSError:
            return False

    until(is_up, what=(folder / "said").read_text)
    yield behind
    process.send_signal(end)
    process.wait(PATIENCE_S)


def test_events_come_one_by_one(proxied: Served) -> None:
    with proxied.streaming("hold") as stream:
        assert stream.wait_for("delta").json["text"] == "held"
        assert proxied.post(f"/v1/runs/{stream.run}/steer", {"text": "now"}).status == 202
        assert stream.wait_for("delta").json["text"] == "now"


def test_a_reader_that_goes_is_noticed_and_comes_back(proxied: Served, gateway: Served) -> None:
    with proxied.streaming("hold") as stream:
        seen = stream.wait_for("delta")
        stream.close()
        until(lambda: b"gateway_streams 0.0" in gateway.get("/metrics").body)
        with proxied.following(stream.run, after=seen.id) as again:
            proxied.post(f"/v1/runs/{stream.run}/steer", {"text": "back"})
            assert again.wait_for("delta").json["text"] == "back"


def test_runs_start_whatever_a_visitor_says_of_its_address(proxied: Served) -> None:
    assert proxied.run("echo").status == 200
    assert proxied.post("/v1/runs", {"prompt": "echo"}, X_Forwarded_For="10.0.0.1").status == 200


def test_health_and_figures_are_not_for_visitors(proxied: Served) -> None:
    for path in ("/metrics", "/healthz", "/readyz", "/openapi.json"):
        assert proxied.ask("GET", path).status == 404


def test_a_body_that_is_too_large_starts_no_run(proxied: Served, gateway: Served) -> None:
    before = started(gateway)
    connection = http.client.HTTPConnection("127.0.0.1", proxied.port, timeout=PATIENCE_S)
    with closing(connection), suppress(ConnectionError):  # the proxy has answered, and reads no more
        connection.request("POST", "/v1/runs", b"x" * 2_000_000, {"Authorization": f"Bearer {proxied.token()}"})
        assert connection.getresponse().status in (413, 502)  # as Caddy 2.6 calls it
    assert started(gateway) == before


def started(gateway: Served) -> list[bytes]:
    """What the gateway has counted of runs."""
    return [line for line in gateway.get("/metrics").body.splitlines() if b"_gateway_runs_total" in line]


def test_a_users_own_machine_connects_through_it(proxied: Served, gateway: Served) -> None:
    with Faker(proxied) as machine:
        assert machine.welcome["v"] == 1
        assert b"agent_workers_gateway_machines 1.0" in gateway.get("/metrics").body
    until(lambda: b"agent_workers_gateway_machines 0.0" in gateway.get("/metrics").body)

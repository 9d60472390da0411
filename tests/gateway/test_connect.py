"""A user's own machine serves that user's runs at the gateway."""

import signal
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.gateway.lent import OWN, SCRIPTED, Cutter, Lent, connect_token
from tests.gateway.served import Served
from tests.waiting import PATIENCE_S, until


@pytest.fixture(scope="module")
def owned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("owned"), OWN)
    yield served
    served.stop()


@pytest.fixture(scope="module")
def laptop(owned: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lent]:
    """The machine of user 7."""
    lent = Lent(owned, tmp_path_factory.mktemp("laptop"))
    yield lent.connected()
    lent.stop()


@pytest.fixture
def lend(tmp_path: Path) -> Iterator[Callable[..., Lent]]:
    started: list[Lent] = []

    def start(gateway: Served, *arguments: object, **options: object) -> Lent:
        started.append(Lent(gateway, tmp_path / f"machine-{len(started)}", *arguments, **options))  # type: ignore[arg-type]
        return started[-1]

    yield start
    for lent in started:
        lent.stop(signal.SIGKILL)


@pytest.mark.usefixtures("laptop")
def test_a_run_is_made_on_the_users_own_machine_and_its_request_is_the_narrowed_one(owned: Served) -> None:
    token = owned.token(preset="own", narrow={"limits": {"timeout_s": 20}})
    events = owned.run("echo", token).events
    assert [event["type"] for event in events] == ["start", "session", "done"]
    request = events[-1]["output"]
    assert (request["prompt"], request["user"], request["limits"]["timeout_s"]) == ("echo", "7", 20)


@pytest.mark.usefixtures("laptop")
def test_a_permission_and_a_word_reach_the_machine_and_an_abort_stops_the_run_there(owned: Served) -> None:
    token = owned.token(preset="own")
    with owned.streaming("ask", token) as stream:
        stream.wait_for("permission_request")
        path = f"/v1/runs/{stream.run}/permissions/p-1"
        assert owned.post(path, {"behavior": "deny", "message": "No."}, token).status == 204
        assert '"No."' in stream.wait_for("delta").json["text"]
    with owned.streaming("hold", token) as stream:
        stream.wait_for("delta")
        owned.post(f"/v1/runs/{stream.run}/steer", {"text": "left"}, token)
        stream.wait_for("steered")
        owned.post(f"/v1/runs/{stream.run}/abort", {}, token)
        assert [frame.event for frame in stream.frames()][-1] == "aborted"


@pytest.mark.usefixtures("laptop")
def test_a_long_answer_comes_whole_and_in_order(owned: Served) -> None:
    events = owned.run("many 400 9000", owned.token(preset="own")).events
    texts = [event["text"][:8] for event in events if event["type"] == "delta"]
    assert texts == [f"{number:08d}" for number in range(400)]
    assert events[-1]["type"] == "done"


@pytest.mark.usefixtures("laptop")
def test_nobody_elses_run_reaches_a_machine(owned: Served) -> None:
    for other in ({"sub": "8"}, {"tenant": "acme"}):
        refused = owned.run("echo", owned.token(preset="own", **other))
        assert (refused.status, refused.json["code"], refused.json["retryable"]) == (503, "no_machine", True)
        assert "agent-workers connect" in refused.json["message"]


@pytest.mark.usefixtures("laptop")
def test_what_the_gateway_runs_itself_does_not_go_to_the_machine(owned: Served, laptop: Lent) -> None:
    [*_, end] = owned.run("echo").events
    assert end["run"] not in laptop.said


def test_a_connection_that_breaks_in_the_middle_of_an_answer_loses_and_doubles_nothing(
    owned: Served, lend: Callable[..., Lent]
) -> None:
    cutter = Cutter(owned.port)
    lent = lend(owned, connect_token(sub="cut"), port=cutter.port).connected()
    token = owned.token(preset="own", sub="cut")
    with owned.streaming("many 600 4000", token) as stream:
        frames = stream.frames()
        seqs = [next(frames).json["seq"] for _ in range(20)]
        cutter.cut()
        lent.connected(2)
        seqs += [frame.json["seq"] for frame in frames]
        assert seqs == list(range(1, 604))
    with owned.streaming("ask", token) as stream:
        stream.wait_for("permission_request")
        cutter.cut()
        assert owned.post(f"/v1/runs/{stream.run}/permissions/p-1", {"behavior": "allow"}, token).status == 204
        lent.connected(3)
        assert [frame.event for frame in stream.frames()] == ["ack", "permission_resolved", "delta", "done"]
    cutter.close()


def test_a_machine_that_finds_no_way_back_in_time_stops_its_runs(
    serve: Callable[..., Served], lend: Callable[..., Lent]
) -> None:
    gateway = serve(OWN.replace("[workers]", "[limits]\nmachine_grace_s = 0.5\n[workers]"))
    cutter = Cutter(gateway.port)
    lent = lend(gateway, port=cutter.port).connected()
    with gateway.streaming("hold", gateway.token(preset="own")) as stream:
        stream.wait_for("delta")
        cutter.close()
        assert [frame.json.get("code") for frame in stream.frames()] == ["worker_lost"]
        until(lambda: f"run {stream.run} has ended" in lent.said, what=lambda: lent.said)


def test_a_certificate_is_checked_and_an_own_ca_may_be_named(
    owned: Served, lend: Callable[..., Lent], tmp_path: Path
) -> None:
    file = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    cutter = Cutter(owned.port, context)
    token = connect_token(sub="tls")
    doubting = lend(owned, token, port=cutter.port, scheme="https")
    assert doubting.process.wait(PATIENCE_S) == 1
    assert "is not trusted" in doubting.said
    lend(owned, token, port=cutter.port, scheme="https", arguments=["--ca-file", str(file)]).connected()
    assert owned.run("echo", owned.token(preset="own", sub="tls")).events[-1]["type"] == "done"
    cutter.close()


def certificate(folder: Path) -> Path:
    """Makes one for 127.0.0.1, with its key, that has signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "gateway.pem"
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(pem + made.public_bytes(Encoding.PEM))
    return file


def test_the_runs_of_a_machine_that_was_killed_are_lost_after_a_grace(
    serve: Callable[..., Served], lend: Callable[..., Lent]
) -> None:
    gateway = serve(OWN.replace("[workers]", "[limits]\nmachine_grace_s = 0.5\n[workers]"))
    lent = lend(gateway).connected()
    token = gateway.token(preset="own")
    with gateway.streaming("hold", token) as stream:
        stream.wait_for("delta")
        lent.stop(signal.SIGKILL)
        [*_, last] = stream.frames()
        assert last.json["code"] == "worker_lost"
    assert gateway.run("echo", token).json["code"] == "no_machine"
    lend(gateway).connected()
    assert gateway.run("echo", token).events[-1]["type"] == "done"


def test_a_gateway_that_starts_again_gets_the_machine_back_and_what_it_does_not_know_is_stopped(
    serve: Callable[..., Served], lend: Callable[..., Lent]
) -> None:
    gateway = serve(OWN)
    lent = lend(gateway).connected()
    with gateway.streaming("hold", gateway.token(preset="own")) as stream:
        stream.wait_for("delta")
        gateway.stop(signal.SIGKILL)
        gateway.start()
        lent.connected(2)
        until(lambda: f"run {stream.run} has ended" in lent.said, what=lambda: lent.said)
    assert gateway.run("echo", gateway.token(preset="own")).events[-1]["type"] == "done"


def test_a_machine_that_is_told_to_stop_lets_its_runs_end_and_takes_no_others(
    owned: Served, lend: Callable[..., Lent]
) -> None:
    token = owned.token(preset="own", sub="leaving")
    lent = lend(owned, connect_token(sub="leaving")).connected()
    with owned.streaming("hold", token) as stream:
        stream.wait_for("delta")
        lent.process.send_signal(signal.SIGTERM)
        until(lambda: owned.run("echo", token).status == 503)
        owned.post(f"/v1/runs/{stream.run}/abort", {}, token)
        assert [frame.event for frame in stream.frames()][-1] == "aborted"
    assert lent.process.wait(PATIENCE_S) == 0


def test_of_two_machines_the_newest_takes_the_run_and_the_other_what_it_has_no_room_for(
    owned: Served, lend: Callable[..., Lent]
) -> None:
    token = owned.token(preset="own", sub="two")
    first = lend(owned, connect_token(sub="two"), arguments=["--max-runs", "1"]).connected()
    second = lend(owned, connect_token(sub="two"), arguments=["--max-runs", "1"]).connected()
    with owned.streaming("hold", token) as one, owned.streaming("hold", token) as other:
        one.wait_for("delta")
        other.wait_for("delta")
        assert (one.run in second.said, other.run in first.said) == (True, True)
        refused = owned.run("echo", token)
        assert (refused.status, refused.json["code"]) == (503, "server_busy")


def test_the_policy_of_the_machine_decides_and_a_real_agent_answers(
    owned: Served, lend: Callable[..., Lent], tmp_path: Path
) -> None:
    (tmp_path / "policy.toml").write_text("version = 1\nsystem_prompt = false\n")
    real = "agent-chat=agent-chat --simulate"
    policy = {"AGENT_WORKERS_POLICY": str(tmp_path / "policy.toml")}
    lend(owned, connect_token(sub="real"), worker=real, env=policy).connected()
    [refused] = owned.run("Hello", owned.token(preset="bold", sub="real")).events
    assert refused["code"] == "policy_denied"
    events = owned.run("Hello", owned.token(preset="own", sub="real")).events
    assert events[-1]["type"] == "done", events
    assert events[0]["simulated"]


def test_a_run_for_a_worker_that_is_not_offered_is_refused_before_it_begins(
    owned: Served, lend: Callable[..., Lent]
) -> None:
    lend(owned, connect_token(sub="skills"), worker=SCRIPTED.replace("agent-chat=", "agent-skill=")).connected()
    refused = owned.run("echo", owned.token(preset="own", sub="skills"))
    assert refused.json["code"] == "no_machine"
    assert "--worker agent-chat" in refused.json["message"]

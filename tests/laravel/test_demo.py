"""``make demo-laravel`` and ``make demo``, as they are typed."""

import fcntl
import os
import pty
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from itertools import product
from pathlib import Path

import pytest

from tests.laravel.browser import PICTURES, Browser
from tests.laravel.demo import READY, Demo, clone, running_demo
from tests.laravel.site import PATH, command_of, free_port
from tests.laravel.visitor import Visitor
from tests.test_readme import SHELL_DEMO
from tests.waiting import PATIENCE_S, until

_APPROVE = """
    const button = [...document.querySelectorAll("button")].find((each) => each.textContent === "Allow");
    button?.click();
    return !button || button.ariaDisabled === "true";
"""
# From 0, black, to 255: what lies behind the page, and what is written on it. Of a canvas that nothing paints, the
# browser tells no colour but the system's own, which follows the root's color-scheme.
_SHADES = """
    const probe = document.documentElement.appendChild(document.createElement("i"));
    probe.style.color = "Canvas";
    const shade = (color) => {
      const [red, green, blue, alpha = 1] = color.match(/[\\d.]+/g).map(Number);
      return alpha === 0 ? undefined : (red + green + blue) / 3;
    };
    const painted = (element) => shade(getComputedStyle(element).backgroundColor);
    const canvas = painted(document.documentElement) ?? painted(document.body) ?? shade(getComputedStyle(probe).color);
    const boxes = [...document.querySelectorAll(".agent-chat")].map(painted);
    const inks = [...document.querySelectorAll("nav b, nav a, p")].map((each) => shade(getComputedStyle(each).color));
    return {backgrounds: [canvas, ...boxes], inks};
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clone(tmp_path_factory.mktemp("clone"))


@pytest.fixture(scope="module")
def demo(repository: Path) -> Iterator[Demo]:
    with tempfile.TemporaryDirectory() as home, running_demo(repository, Path(home)) as demo:
        yield demo


@pytest.fixture
def tab(running_browser: Browser) -> Iterator[Browser]:
    running_browser.new_tab()
    yield running_browser
    running_browser.close_tab()


def test_the_demo_says_where_its_pages_are_who_answers_and_once_how_it_ends(demo: Demo) -> None:
    root = f"http://127.0.0.1:{demo.port}"
    assert demo.addresses == [f"{root}/", f"{root}/task", f"{root}/partners", f"{root}/plain", f"{root}/component"]
    assert "The simulator answers" in demo.output
    assert demo.output.count(READY) == 1
    assert demo.output.endswith(f"{READY}\n")


def test_the_command_that_the_demo_names_runs_from_any_shell_and_in_the_economy_lane(demo: Demo) -> None:
    def told(options: str) -> str:
        command = ["sh", "-c", f"{demo.command} {options}"]
        ran = subprocess.run(
            command, cwd="/", env={"PATH": PATH}, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
        assert (ran.returncode, ran.stderr.count("not found")) == (0, 0), ran.stdout + ran.stderr
        return ran.stdout + ran.stderr

    first = told("--economy")
    assert "12 are out." in first, first
    until(lambda: " are out." not in told("--economy"), what="the answers")


def test_another_worker_answers_in_the_chat_where_it_is_named(repository: Path, tmp_path: Path) -> None:
    another = tmp_path / "another"
    another.write_text(f'#!/bin/sh\ntouch "{tmp_path}/asked"\nexec "{repository}/.venv/bin/agent-chat" "$@"\n')
    another.chmod(0o755)
    with running_demo(repository, tmp_path, AGENT_CHAT_BINARY=str(another)) as demo:
        command = [demo.command.split()[0], "agent:chat", "Hello"]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert (tmp_path / "asked").exists()


def footer(tab: Browser) -> list[str]:
    return tab.script("return document.querySelector('footer').innerText").split("\n")


@pytest.mark.parametrize("page", [0, 3], ids=["React", "without a build"])
def test_a_chat_of_the_demo_shows_the_first_words_and_that_no_model_wrote_them(
    demo: Demo, tab: Browser, page: int
) -> None:
    tab.open(demo.addresses[page])
    assert "simulated" not in tab.text
    tab.say("Tell me of lighthouses.")
    until(lambda: len(tab.answer) > 20, what=lambda: tab.told)
    assert tab.status == "streaming"
    assert tab.answer.removeprefix("# ").startswith("The life")
    assert "simulated" in tab.text
    tab.screenshot(PICTURES / f"demo-{page}.png")
    tab.press("Stop")  # it would go on without its page
    tab.wait_for("stopped")


def test_a_task_of_the_demo_asks_goes_on_and_says_that_no_model_does(demo: Demo, tab: Browser) -> None:
    tab.open(demo.addresses[1])
    tab.say("Prepare the fair.")
    until(lambda: tab.has_button("Allow"), what=lambda: tab.told)
    tab.screenshot(PICTURES / "demo-task.png")
    # A click right after a question has come is not taken.
    until(lambda: tab.status == "done" or tab.script(_APPROVE), what=lambda: tab.told)
    tab.wait_for("done")
    assert "Murtal Messebau" in tab.answer
    assert "simulated" in footer(tab)


@pytest.mark.parametrize("page", [0, 1, 3], ids=["chat", "task", "without a build"])
def test_a_page_of_the_demo_fits_the_screen_and_is_light_or_dark_as_a_whole(
    demo: Demo, tab: Browser, page: int
) -> None:
    tab.open(demo.addresses[page])
    until(lambda: tab.status == "idle", what=lambda: tab.told)
    for scheme, (width, height) in product(("light", "dark"), ((1280, 800), (390, 844))):
        tab.look(width=width, height=height, scheme=scheme)
        until(lambda width=width: tab.script("return innerWidth") == width, what=f"a page {width} wide")
        tab.screenshot(PICTURES / f"demo-{page}-{width}-{scheme}.png")
        seen = {"width": width, "scheme": scheme, **tab.script(_SHADES)}
        assert tab.script("return document.documentElement.scrollWidth <= innerWidth"), seen
        assert all((shade < 128) == (scheme == "dark") for shade in seen["backgrounds"]), seen
        assert all((shade > 128) == (scheme == "dark") for shade in seen["inks"]), seen


def fetched(port: int, target: str) -> bytes:
    """What is served for a request line as it is: no client tidies the path."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as connection:
        connection.settimeout(PATIENCE_S)
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize("secret", ["storage/app.key", "server.php", "config/app.php", "composer.json"])
def test_nothing_beside_the_public_directory_is_served(repository: Path, demo: Demo, secret: str) -> None:
    application = repository / "examples/laravel"
    kept = (application / secret).read_bytes().strip()
    out = application / "public/out"
    out.symlink_to("..")
    link = application / "public/linked.txt"
    link.symlink_to(application / secret)
    ups = ("..", "%2e%2e", "%252e%252e", ".%2e", "..%00", "./..", "..%2f", "..%5c", "agent-chat.js/..", "out")
    paths = [f"{start}{up}/{secret}" for up in ups for start in ("/", "//", "/x/../", "http://127.0.0.1/")]
    paths += ["/linked.txt", f"/{secret}", f"/{secret}%00.js"]
    try:
        answers = {path: fetched(demo.port, path) for path in paths}
    finally:
        out.unlink()
        link.unlink()
    assert [path for path, answer in answers.items() if kept in answer] == []
    assert [path for path, answer in answers.items() if answer.split(maxsplit=2)[1] != b"404"] == []


def test_the_files_of_the_public_directory_are_served(demo: Demo) -> None:
    for path, kind in {
        "/agent-chat.js": b"application/javascript",
        "/agent-chat.css?v=1": b"text/css",
        "/agent-stream.js": b"application/javascript",
        "/vendor/agent-workers/agent-chat-element.js": b"application/javascript",
    }.items():
        answer = fetched(demo.port, path)
        assert answer.startswith(b"HTTP/1.1 200")
        assert kind in answer.partition(b"\r\n\r\n")[0]


def test_every_way_to_stop_it_ends_all_of_it_and_the_next_start_finds_the_port_free(
    repository: Path, tmp_path: Path
) -> None:
    port = free_port()
    ways = {
        "Ctrl-C": lambda demo: os.killpg(demo.process.pid, signal.SIGINT),
        "kill, of make": lambda demo: demo.process.terminate(),
        "TERM": lambda demo: os.kill(demo.script, signal.SIGTERM),
        "INT": lambda demo: os.kill(demo.script, signal.SIGINT),
        "HUP": lambda demo: os.kill(demo.script, signal.SIGHUP),
    }
    for name, stop in ways.items():
        with running_demo(repository, tmp_path, port) as demo:
            visitor = Visitor(port)
            with visitor.ask("Stop this. [[scenario:slow]]") as stream:
                stream.wait_for("delta")
                stop(demo)
                demo.wait_for_the_end(name)
            visitor.http.close()
            assert list(tmp_path.glob("tmp.*")) == []


def test_a_signal_while_it_comes_up_ends_all_of_it_at_once(repository: Path, tmp_path: Path) -> None:
    lock = repository / "examples/react/package.json"
    with lock.open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # setup.sh waits for it
        demo = Demo(repository, tmp_path)
        try:
            until(lambda: any("flock" in command_of(pid) for pid in demo.processes()), what=lambda: demo.left)
            os.kill(demo.script, signal.SIGTERM)
            until(lambda: demo.process.poll() is not None, 4, what=lambda: demo.left)
            until(lambda: not demo.processes(), 4, what=lambda: demo.left)
        finally:
            demo.kill()
    assert list(tmp_path.glob("tmp.*")) == []


def test_a_busy_port_is_told_with_a_way_out(repository: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        demo = Demo(repository, tmp_path, port)
        assert demo.process.wait(PATIENCE_S) != 0
    assert f"Port {port} is in use" in demo.output
    assert "PORT=8401 make demo-laravel" in demo.output
    assert demo.processes() == []


@pytest.mark.parametrize(
    ("port", "told"),
    [
        (8401, "PORT=8402 make demo-laravel"),
        (0, "Choose a number from 1 to 65535"),
        (65536, "PORT=65536 is not a port"),
    ],
)
def test_a_port_that_cannot_be_used_is_told_with_another_that_may(port: int, told: str, repository: Path) -> None:
    with ExitStack() as stack:
        if port == 8401:
            with suppress(OSError):  # whoever has it, it is busy
                stack.enter_context(socket.create_server(("127.0.0.1", port)))
        environ = {"PATH": PATH, "PORT": str(port), "BIN": str(repository / ".venv/bin")}
        command = [repository / "examples/laravel/serve.sh"]
        refused = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert refused.returncode != 0
    assert told in refused.stderr


def test_the_demo_of_the_shell_tells_its_first_words_and_its_last(repository: Path, tmp_path: Path) -> None:
    master, slave = pty.openpty()
    environ = {"PATH": PATH, "HOME": str(tmp_path), "TMPDIR": str(tmp_path), "TERM": "xterm"}
    demo = subprocess.Popen(SHELL_DEMO.split(), cwd=repository, env=environ, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    shown = b""
    try:
        while part := _read(master):
            shown += part
        assert demo.wait(PATIENCE_S) == 0, shown
    finally:
        os.close(master)
        demo.kill()
    text = shown.decode()
    assert text.index('"type":"start"') < text.index('"type":"delta"') < text.index('"type":"done"')
    assert "The life of a lighthouse" in text
    assert "== notes.txt now" in text
    assert "simulated: no model answers" in text


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says so when the last process has closed the other side
        return b""


def test_the_demo_on_a_fleet_answers_shows_its_runs_and_leaves_nothing(
    repository: Path, tmp_path: Path, tab: Browser
) -> None:
    with running_demo(repository, tmp_path, FLEET="1") as demo:
        chat, fleet = demo.addresses[0], demo.addresses[-1]
        tab.open(chat)
        tab.say("Tell me of lighthouses.")
        tab.wait_for("done")
        assert "one cape from the next" in tab.answer
        tab.open(fleet)
        until(lambda: "done" in tab.text, what=lambda: tab.text)
        assert "demo" in tab.text
        assert any("redis" in command_of(pid) for pid in demo.processes())
        os.killpg(demo.process.pid, signal.SIGINT)
        demo.wait_for_the_end("Ctrl-C")


def test_the_demo_with_records_lists_what_the_browser_has_forgotten_and_shows_what_was_done(
    repository: Path, tmp_path: Path, tab: Browser
) -> None:
    with running_demo(repository, tmp_path, RECORDS="1") as demo:
        chat, records = demo.addresses[0], demo.addresses[-1]
        tab.open(chat)
        tab.say("Tell me of lighthouses.")
        tab.wait_for("done")
        tab.script("localStorage.clear(); sessionStorage.clear()")
        tab.visit(chat)
        # Where the page is narrow, the list is out of sight.
        listed = "return document.querySelector('[data-id]')?.textContent ?? ''"
        until(lambda: "Tell me of lighthouses." in tab.script(listed), what=lambda: tab.text)
        tab.script("document.querySelector('[data-id]').click()")
        until(lambda: "one cape from the next" in tab.answer, what=lambda: tab.text)
        tab.visit(records)
        until(lambda: "done" in tab.text, what=lambda: tab.text)
        tab.script("document.querySelector('.run a').click()")
        until(lambda: "one cape from the next" in tab.text, what=lambda: tab.text)

"""The pages on the gateway: a line of configuration, and no PHP process holds a stream."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_workers.simulator import Simulator
from tests.gateway.served import AUDIENCE, SECRET, Served
from tests.laravel.browser import Browser
from tests.laravel.site import Site, command_of, parent_of, pids
from tests.laravel.test_browser import calls
from tests.waiting import until

WEBHOOKS = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
SETTINGS = """
audience = "{audience}"
origins = ["{origin}"]
state = "{folder}/state"
[webhook]
url = "{origin}/agent/webhooks"
variable = "WEBHOOKS"
[workers]
agent-chat = ["agent-chat"]
[key.laravel]
algorithm = "HS256"
variable = "TOKEN_KEY"
[preset.chat]
"""
PAGES = ["/", "/component"]


@pytest.fixture(scope="module")
def gateway(running_site: Site, simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A gateway beside the site, whose pages use it."""
    folder = tmp_path_factory.mktemp("gateway")
    settings = SETTINGS.format(audience=AUDIENCE, origin=f"http://127.0.0.1:{running_site.port}", folder=folder)
    served = Served(folder, settings, {"ANTHROPIC_BASE_URL": simulator.base_url, "WEBHOOKS": WEBHOOKS})
    file = running_site.app / ".env"
    file.write_text(
        f"AGENT_GATEWAY_URL=http://127.0.0.1:{served.port}\n"
        # What an application has anyway whose gateway asks for tokens.
        f"AGENT_GATEWAY_AUDIENCE={AUDIENCE}\nAGENT_GATEWAY_KEY={SECRET}\nAGENT_GATEWAY_WEBHOOK_SECRET={WEBHOOKS}\n"
    )
    yield served
    file.unlink()
    served.stop()


def php_processes(site: Site) -> list[int]:
    """The processes of PHP that serve the site."""
    assert site._fpm
    return [pid for pid in pids() if "php-fpm: pool" in command_of(pid) and parent_of(pid) == site._fpm.pid]


def asked(site: Site, what: str) -> int:
    """How often PHP was asked this, as far as it has answered."""
    return Path(site.log).read_text().count(f" {what}")


def workers(gateway: Served) -> list[int]:
    """The processes of the gateway's runs."""
    return [pid for pid in pids() if "agent-chat" in command_of(pid) and f"={gateway.folder}/" in environment(pid)]


def environment(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace")
    except OSError:
        return ""


@pytest.mark.parametrize("page", PAGES)
def test_an_answer_streams_a_reload_goes_on_and_stop_stops_without_php(
    site: Site, gateway: Served, browser: Browser, simulator: Simulator, page: str
) -> None:
    chats, told = asked(site, "POST /agent/chat"), asked(site, "POST /agent/webhooks HTTP/1.1 204")
    browser.open(f"http://127.0.0.1:{site.port}{page}")
    before_php = len(php_processes(site))
    prompt = f"Over the gateway by {page}. [[scenario:slow]]"
    browser.say(prompt)
    browser.wait_for_changes(3)
    assert workers(gateway)
    assert not site.processes("claude")
    assert len(php_processes(site)) == before_php
    before = browser.answer
    browser.reload()
    until(lambda: browser.status == "streaming" and len(browser.answer) > len(before), what=lambda: browser.told)
    assert browser.answer.startswith(before)
    browser.press("Stop")
    until(lambda: not workers(gateway), what=lambda: browser.told)
    until(lambda: browser.status == "stopped", what=lambda: browser.told)
    assert calls(simulator, prompt) == 1
    assert asked(site, "POST /agent/chat") == chats
    until(lambda: asked(site, "POST /agent/webhooks HTTP/1.1 204") > told, what=lambda: browser.told)


def test_a_conversation_goes_on_with_a_token_for_each_run(site: Site, gateway: Served, browser: Browser) -> None:
    browser.open(f"http://127.0.0.1:{site.port}/")
    tokens = asked(site, "POST /agent/token HTTP/1.1 200")
    for prompt in ("Hello [[scenario:hello]]", "And now? [[scenario:hello]]"):
        browser.say(prompt)
        browser.wait_for("done")
    until(lambda: asked(site, "POST /agent/token HTTP/1.1 200") == tokens + 2, what=lambda: browser.told)
    assert gateway.process.poll() is None

"""A real browser, driven by the W3C WebDriver protocol: plain HTTP to chromedriver."""

import base64
import re
import subprocess
from pathlib import Path
from typing import Any

import httpx

from tests.laravel.site import PATH, REPOSITORY
from tests.waiting import PATIENCE_S, until

PICTURES = REPOSITORY / ".artifacts"
AXE = REPOSITORY / "node_modules/axe-core/axe.min.js"
LOOKS = [(width, height, scheme) for width, height in ((1280, 800), (390, 844)) for scheme in ("light", "dark")]
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=900,700",
    "--disable-back-forward-cache",  # a page that is left ends
    "--disable-features=SpareRendererForSitePerProcess",  # a process for a page that may never be opened
    "--force-prefers-reduced-motion",  # a dot that pulses is painted all the time
)
_DRAWN_ANEW = ("element not interactable", "stale element reference", "element click intercepted")
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
# The page, or the element <agent-chat> in it, whose parts have the names that are ids for tests elsewhere.
_PAGE = """
    const root = document.querySelector("agent-chat")?.shadowRoot ?? document;
    const named = (name) => [...root.querySelectorAll(`[data-testid=${name}], [part=${name}]`)].at(-1);
    // How a run stands: a page may say it in words for people.
    const said = (element) => element?.dataset.state ?? element?.textContent ?? "";
    const buttons = (name) => [...root.querySelectorAll("button")].filter((button) =>
      button.textContent.trim().replace(/\\s+/g, " ") === name && button.checkVisibility());
"""
# Keeps every text that the answer has had, and the statuses: what polling could miss.
_WATCH = (
    _PAGE
    + """
    window.seen = {answer: [], status: []};
    new MutationObserver(() => {
      for (const [name, texts] of Object.entries(window.seen)) {
        const text = said(named(name));
        if (text && text !== texts.at(-1)) texts.push(text);
      }
    }).observe(root, {childList: true, characterData: true, subtree: true, attributes: true});
"""
)
# Answers as soon as the run has one of these statuses, or a second later.
_WAIT = (
    _PAGE
    + """
    const [wanted, answer] = arguments;
    const isSo = () => wanted.includes(said(named("status")));
    const end = () => { observer.disconnect(); clearTimeout(timer); answer(isSo()); };
    const observer = new MutationObserver(() => isSo() && end());
    observer.observe(root, {childList: true, characterData: true, subtree: true, attributes: true});
    const timer = setTimeout(end, 1000);
    if (isSo()) end();
"""
)
# Answers as soon as the answer has had more texts than this, or a second later.
_WAIT_FOR_CHANGES = """
    const [more, answer] = arguments;
    const isSo = () => window.seen.answer.length > more;
    const end = () => { clearInterval(timer); clearTimeout(last); answer(isSo()); };
    const timer = setInterval(() => isSo() && end(), 10);
    const last = setTimeout(end, 1000);
"""
# Answers once the page has been told that its screen is another: before the callbacks of a frame, not at once.
_WAIT_FOR_SCREEN = """
    const [query, answer] = arguments;
    const look = () => requestAnimationFrame(matchMedia(query).matches ? () => answer() : look);
    look();
"""
# What axe finds.
_FAULTS = """
    const answer = arguments[0];
    axe.run(document, {resultTypes: ["violations"]}).then(({violations}) =>
      answer(violations.map(({id, help, nodes}) => [id, help, nodes.map(({html}) => html.slice(0, 200))])));
"""
# Tells the page that is left from the next one.
_LEAVE = "window.isLeft = true"
# What the browser knows of the page's stylesheets: those without a rule, and what was fetched for the page.
_STYLES = """
    if (window.isLeft) return {isComplete: false, missing: [], fetched: [], failed: []};
    const isThere = (link) => { try { return link.sheet.cssRules.length > 0; } catch { return false; } };
    const missing = [...document.querySelectorAll("link[rel=stylesheet]")].filter((link) => !isThere(link));
    const told = ({name, responseStatus, transferSize, decodedBodySize, duration, deliveryType}) =>
      ({name, responseStatus, transferSize, decodedBodySize, duration, deliveryType});
    const fetched = performance.getEntriesByType("resource").map(told);
    const isFailed = ({name, responseStatus}) => responseStatus >= 400 && missing.some((link) => link.href === name);
    const failed = fetched.filter(isFailed);
    const isComplete = document.readyState === "complete";
    return {isComplete, missing: missing.map((link) => link.href), fetched, failed};
"""


class Browser:
    """Chromium with a profile of its own, and the page that is open in it."""

    def __init__(self, root: Path) -> None:
        log = root / "chromedriver.log"
        with log.open("wb") as out:
            environ = {"PATH": PATH, "HOME": str(root), "TMPDIR": str(root)}
            command = ["chromedriver", "--port=0"]  # any that is free
            self._driver = subprocess.Popen(command, env=environ, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        port = until(lambda: re.search(r"started successfully on port (\d+)", log.read_text()), what="chromedriver")[1]
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S, trust_env=False)
        self.server_log: Path | None = None
        """What the server of the pages writes; told where a page came without its stylesheets."""
        options = {"binary": "/usr/bin/chromium", "args": [*FLAGS, f"--user-data-dir={root / 'profile'}"]}
        wanted = {"alwaysMatch": {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}}
        self._session = ""
        self._session = "/session/" + self._call("POST", "/session", {"capabilities": wanted})["sessionId"]

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        json = (body or {}) if method == "POST" else None
        response = self._http.request(method, self._session + path, json=json)
        value = response.json()["value"]
        assert response.is_success, value
        return value

    def close(self) -> None:
        """Ends the browser and its driver."""
        try:
            self._call("DELETE", "")
        finally:
            self._http.close()
            self._driver.terminate()
            self._driver.wait(PATIENCE_S)

    # Pages

    def open(self, address: str) -> None:
        """Opens a page as a visitor who was never there."""
        self._devtools("Network.clearBrowserCookies", {})
        self._devtools("Network.clearBrowserCache", {})
        first = {"source": "sessionStorage.clear(); localStorage.clear()"}
        script = self._devtools("Page.addScriptToEvaluateOnNewDocument", first)
        try:
            self._go("/url", {"url": address})
        finally:
            self._devtools("Page.removeScriptToEvaluateOnNewDocument", script)

    def visit(self, address: str) -> None:
        """Opens a page as whoever is there already."""
        self._go("/url", {"url": address})

    def forget_cookies(self) -> None:
        """Ends the visitor's session, as its time does; what the page keeps stays."""
        self._devtools("Network.clearBrowserCookies", {})

    def leave(self) -> None:
        """Leaves the page, for one that costs nothing, and whatever `look` has set."""
        self._devtools("Emulation.clearDeviceMetricsOverride", {})
        self._devtools("Emulation.setEmulatedMedia", {"features": []})
        self._go("/url", {"url": "about:blank"})

    def reload(self) -> None:
        self._go("/refresh")

    def _go(self, command: str, body: dict[str, Any] | None = None) -> None:
        """Has the next page come, until it is complete.

        The driver may say so too early: now and then it holds that nothing is loading when the page has only begun to.
        """
        self.script(_LEAVE)
        self._call("POST", command, body)
        until(self._is_complete, what=lambda: self.script(_STYLES))
        self.watch()

    def _is_complete(self) -> bool:
        """Whether all of the page has come; fails, with all that is known, once one of its stylesheets will not come.

        A complete page has waited for its stylesheets, or for their failure.
        """
        styles = self.script(_STYLES)
        if styles["failed"] or (styles["isComplete"] and styles["missing"]):
            raise AssertionError(f"no stylesheet: {styles}\n{self.told}")
        return styles["isComplete"]

    def watch(self) -> None:
        self.script(_WATCH)

    def new_tab(self) -> None:
        """Goes on in a new tab."""
        handle = self._call("POST", "/window/new", {"type": "tab"})["handle"]
        self._call("POST", "/window", {"handle": handle})

    def close_tab(self) -> None:
        """Closes the tab, and goes on in another."""
        left = self._call("DELETE", "/window")
        self._call("POST", "/window", {"handle": left[0]})

    # What is on them

    def script(self, script: str, *arguments: object) -> Any:
        return self._call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def say(self, prompt: str) -> None:
        """Types a prompt and sends it."""
        element = until(lambda: self._element("root.querySelector('textarea')"), what=lambda: self.told)
        self._call("POST", f"/element/{element}/value", {"text": prompt})
        self.press("Send")

    def attach(self, *files: Path) -> None:
        """Chooses files, as the dialog of the page's button for files does."""
        element = until(lambda: self._element("root.querySelector('input[type=file]')"), what=lambda: self.told)
        self._call("POST", f"/element/{element}/value", {"text": "\n".join(map(str, files))})

    def press(self, name: str, inside: str = "") -> None:
        """Presses the button of this name, as soon as it is there and enabled.

        Args:
            name: What is written on it.
            inside: The XPath of what it is in; anywhere by default.
        """
        path = f"{inside}//button[normalize-space()='{name}' and not(@disabled)]"
        enabled = "buttons(arguments[0]).find((button) => !button.disabled)"

        def is_pressed() -> bool:
            element = self._find("xpath", path) if inside else self._element(enabled, name)
            return bool(element) and self._is_clicked(element)

        until(is_pressed, what=lambda: f"{name}: {self.text}")

    def _is_clicked(self, element: str) -> bool:
        """Clicks; False where the page has just drawn itself anew, and the element is not there any more."""
        response = self._http.request("POST", f"{self._session}/element/{element}/click", json={})
        value = response.json()["value"]
        if response.is_success:
            return True
        assert value["error"] in _DRAWN_ANEW, value
        return False

    def write(self, text: str, label: str) -> None:
        """Types a text into the field of this label."""
        found = "root.querySelector(`[aria-label='${arguments[0]}']`)"
        element = until(lambda: self._element(found, label), what=lambda: f"{label}: {self.told}")
        self._call("POST", f"/element/{element}/value", {"text": text})

    def keys(self, *keys: str) -> None:
        """Presses keys, one after the other, wherever the focus is."""
        strokes = [{"type": stroke, "value": key} for key in keys for stroke in ("keyDown", "keyUp")]
        self._call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": strokes}]})

    def _find(self, using: str, value: str) -> str:
        found = self._call("POST", "/elements", {"using": using, "value": value})
        return found[0][_ELEMENT] if found else ""

    def _element(self, expression: str, *arguments: object) -> str:
        return (self.look_up(expression, *arguments) or {}).get(_ELEMENT, "")

    def look_up(self, expression: str, *arguments: object) -> Any:
        """What an expression of `_PAGE` says."""
        return self.script(f"{_PAGE} return {expression};", *arguments)

    def has_button(self, name: str) -> bool:
        return bool(self.look_up("buttons(arguments[0]).length", name))

    @property
    def answer(self) -> str:
        return self.look_up("named('answer')?.textContent ?? ''")

    @property
    def status(self) -> str:
        return self.look_up("said(named('status'))")

    def wait_for(self, *statuses: str) -> None:
        """Waits until the run has one of these statuses.

        It is the page that looks, whenever it changes: each question of ours costs three processes.
        """
        wait = {"script": _WAIT, "args": [statuses]}
        until(lambda: self._call("POST", "/execute/async", wait), what=lambda: f"{statuses}: {self.told}")

    @property
    def told(self) -> str:
        """The page, what the browser says of it, and what its server was asked: for a wait that has failed."""
        said = self._call("POST", "/se/log", {"type": "browser"})
        log = self.server_log.read_text()[-4000:] if self.server_log else "unknown"
        return f"{self.text}\nbrowser: {said}\nserver: {log}"

    @property
    def address(self) -> str:
        return self.script("return location.href")

    @property
    def text(self) -> str:
        return self.look_up(
            "[document.body, ...(root.host ? root.children : [])].map((each) => each.innerText).join('\\n')"
        )

    @property
    def partial_answers(self) -> list[str]:
        """Every text that the answer has had since the page was opened."""
        return self.script("return window.seen.answer")

    def wait_for_changes(self, more_than: int) -> None:
        """Waits until the answer has had more texts than this since the page was opened; the page looks, see above."""
        wait = {"script": _WAIT_FOR_CHANGES, "args": [more_than]}
        until(lambda: self._call("POST", "/execute/async", wait), what=lambda: self.told)

    @property
    def statuses(self) -> list[str]:
        return self.script("return window.seen.status")

    def look(self, *, width: int, height: int, scheme: str) -> None:
        """Makes the page's screen so wide and so high, and its visitor one who wants it ``light`` or ``dark``."""
        phone = width < 500
        screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone}
        self._devtools("Emulation.setDeviceMetricsOverride", screen)
        wanted = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self._devtools("Emulation.setEmulatedMedia", wanted)
        query = f"(width: {width}px) and (height: {height}px) and (prefers-color-scheme: {scheme})"
        self._call("POST", "/execute/async", {"script": _WAIT_FOR_SCREEN, "args": [query]})

    def look_at(self, state: str) -> None:
        """Takes a picture on every screen, each of which shows all of the page's width."""
        for width, height, scheme in LOOKS:
            self.look(width=width, height=height, scheme=scheme)
            self.screenshot(PICTURES / f"state-{state}-{width}-{scheme}.png")
            overhang = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert self.script(overhang) == 0, (state, width)

    def faults(self) -> list[Any]:
        """What axe finds in the page as it is: the name of each rule, what it wants, and what breaks it."""
        if not self.script("return 'axe' in window"):
            self.script(AXE.read_text())
        return self._call("POST", "/execute/async", {"script": _FAULTS, "args": []})

    def offline(self, is_so: bool) -> None:
        """Takes the browser's network away, or gives it back."""
        self._devtools("Network.enable", {})
        speed = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        self._devtools("Network.emulateNetworkConditions", {"offline": is_so, **speed})

    def _devtools(self, command: str, parameters: dict[str, Any]) -> Any:
        return self._call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def screenshot(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(self._call("GET", "/screenshot")))

"""Part of ``make bench``: the next message of a conversation on the example's page, with a pool and without.

    python -m tests.bench.pool_page

Chromium, nginx, php-fpm, Laravel and the agent are real. The time is from Send to the first word that shows.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from statistics import median

from agent_workers.simulator import running_simulator
from tests.laravel.browser import Browser
from tests.laravel.site import REPOSITORY, Site
from tests.laravel.test_pool import PooledSite
from tests.waiting import until

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "9"))
# Presses Send, and notes when the answer's first word is there.
_PRESS = """
    const answers = () => [...document.querySelectorAll("[data-testid=answer]")];
    const known = answers().length;
    window.took = null;
    const began = performance.now();
    const observer = new MutationObserver(() => {
      if (answers().length > known && answers().at(-1).textContent.trim()) {
        window.took = performance.now() - began;
        observer.disconnect();
      }
    });
    observer.observe(document.body, {subtree: true, childList: true, characterData: true});
    [...document.querySelectorAll("button")].find((button) => button.textContent.trim() === "Send").click();
"""


def took(browser: Browser) -> float:
    """Milliseconds from Send to the first word of the next message's answer."""
    browser.write("And then? [[scenario:memory]]", "Message")
    browser.script(_PRESS)
    until(lambda: browser.script("return window.took !== null"), what=lambda: browser.told)
    browser.wait_for("done")
    return float(browser.script("return window.took"))


def main() -> None:
    """Measures and reports."""
    subprocess.run([REPOSITORY / "examples/laravel/setup.sh"], check=True, timeout=300)
    folders = [Path(tempfile.mkdtemp(prefix="page-")) for _ in range(3)]
    for folder in folders:
        folder.chmod(0o755)
    with running_simulator() as simulator:
        cold, pooled = Site(folders[0], simulator.base_url), PooledSite(folders[1], simulator.base_url)
        cold.start()
        pooled.start()
        pooled.start_pool()
        browsers = Browser(folders[2])
        try:
            found: dict[str, list[float]] = {"process for each message": [], "pool, live": []}
            for name, site in zip(found, (cold, pooled), strict=True):
                browsers.open(f"http://127.0.0.1:{site.port}/")
                browsers.say("My name is Ada.")
                browsers.wait_for("done")
                for _ in range(ROUNDS):
                    if site is pooled:
                        until(lambda: pooled.number("live") >= 1, what=pooled.left)
                    found[name].append(took(browsers))
            for name, times in found.items():
                print(f"{name:26}{median(times):8.0f} ms to the first word (median of {len(times)})")
            print(f"ratio {median(found['pool, live']) / median(found['process for each message']):.2f}")
        finally:
            browsers.close()
            pooled.stop_pool()
            pooled.stop()
            cold.stop()
            for folder in folders:
                shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()

"""The example on a fleet: Redis, processes of the fleet as the web server's user, and operators of them."""

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from tests.fleet.redis_server import RedisServer
from tests.laravel.site import PATH, Site
from tests.waiting import PATIENCE_S, until

LEASE_S = 5
"""After this time the runs of a process that has gone are another's."""


class Machine:
    """A process of the fleet.

    Args:
        site: Whose runs it takes.
        name: What it is called in the fleet.
        options: Of its command line.
    """

    def __init__(self, site: "FleetSite", name: str, *options: str) -> None:
        self._log = site.root / f"work-{name}.log"
        told = ("AGENT_WORKERS_STATE_DIR", "ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY", "TMPDIR")
        own = {"PATH": PATH, "HOME": str(site.root / "home"), "AGENT_WORKERS_REDIS": site.redis.url}
        workers = [
            word
            for worker in ("agent-chat", "agent-task")
            for word in ("--worker", f"{worker}={site.worker.with_name(worker)}")
        ]
        identity: dict[str, Any] = {"user": site.user, "group": site.user, "extra_groups": []} if site.user else {}
        program = str(site.worker.with_name("agent-workers"))
        options = ("--name", name, "--lease-s", str(LEASE_S), "--grace-s", "0", *options)
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [program, "fleet", "work", *options, *workers],
                env=own | {name: site.environ[name] for name in told},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                **identity,
            )
        until(lambda: "takes jobs" in self.told, what=lambda: self.told)

    @property
    def told(self) -> str:
        """What it has logged."""
        return self._log.read_text("utf-8", "replace")

    def kill(self) -> None:
        """Kills it, as a machine that loses its power does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ends it."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(PATIENCE_S)


class FleetSite(Site):
    """The example, told of a fleet. At ``full_port`` nobody may operate it."""

    def __init__(self, root: Path, base_url: str) -> None:
        super().__init__(root, base_url)
        self.redis = RedisServer(root / "redis")
        self.machines: dict[str, Machine] = {}
        self.environ |= {"AGENT_WORKERS_FLEET": self.redis.url, "APP_ENV": "local"}

    def work(self, name: str, *options: str) -> Machine:
        """Starts a process of the fleet of this name, if there is none."""
        known = self.machines.get(name)
        if known is None or known.process.poll() is not None:
            self.machines[name] = Machine(self, name, *options)
        return self.machines[name]

    def stop_machines(self) -> None:
        for machine in self.machines.values():
            machine.stop()
        self.machines.clear()

    def restart_php(self) -> None:
        """Has php-fpm begin anew, as ``systemctl reload`` does: each of its processes ends at once."""
        os.kill(int((self.root / "fpm.pid").read_text()), signal.SIGUSR2)

    def stop(self) -> None:
        self.stop_machines()
        super().stop()
        self.redis.stop()
        self.redis.client.close()

    def _fpm_conf(self) -> str:
        head, _, full = super()._fpm_conf().rpartition("[full]")
        strangers = full.replace('env[APP_ENV] = "local"', 'env[APP_ENV] = "production"')
        return f"{head}[full]{strangers}"

    def _nginx_conf(self) -> str:
        head, server, full = super()._nginx_conf().rpartition("server {")
        return f"{head}{server}{full.replace('web.sock', 'full.sock')}"

    def left(self) -> str:
        """What its machines say, and which processes are left."""
        return "\n".join([super().left(), *(machine.told for machine in self.machines.values())])

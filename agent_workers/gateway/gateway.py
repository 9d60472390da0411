"""What the routes of a gateway have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_workers.gateway.meters import Meters
from agent_workers.gateway.streams import Streams

if TYPE_CHECKING:
    from agent_workers.gateway.feed import Feed
    from agent_workers.gateway.runs import Runs
    from agent_workers.gateway.settings import GatewaySettings
    from agent_workers.gateway.tokens import Tokens
    from agent_workers.gateway.webhooks import Webhooks


class Gateway:
    """One gateway.

    Args:
        settings: Its settings.
        tokens: Checks who asks.
        runs: Where runs are made.
        webhooks: Tell the application; None where nobody is told.

    Attributes:
        streams: Those that are open.
        meters: Its figures.
        is_leaving: Whether it stops, and takes nothing new.
    """

    def __init__(self, settings: GatewaySettings, tokens: Tokens, runs: Runs, webhooks: Webhooks | None) -> None:
        self.settings = settings
        self.tokens = tokens
        self.runs = runs
        self.streams = Streams(settings.limits)
        self.meters = Meters(runs, self.streams, webhooks)
        self.is_leaving = False

    def change(self, settings: GatewaySettings, tokens: Tokens) -> None:
        """Takes other keys and presets for the requests that come."""
        kept = {name: getattr(self.settings, name) for name in ("limits", "public_url", "redis")}
        self.settings, self.tokens = settings.model_copy(update=kept), tokens

    def links(self, run: str) -> dict[str, str]:
        """Returns where a run is looked at."""
        base = f"{(self.settings.public_url or '').rstrip('/')}/v1/runs/{run}"
        return {"status": base, "events": f"{base}/events"}

    def left(self, feed: Feed) -> None:
        """Hears that a reader of a run has gone."""
        if not self.is_leaving:
            self.runs.left(feed)

    async def leave(self) -> None:
        """Lets what runs here end, and sends the readers of what goes on elsewhere away, to come back."""
        self.is_leaving = True
        await self.runs.leave(self.settings.limits.grace_s)

    async def problem(self) -> str:
        """Says why no run can be started; empty where one can."""
        return "it stops" if self.is_leaving else await self.runs.problem()

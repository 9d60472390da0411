"""The events of a run as its caller reads them."""

from typing import Any

Event = dict[str, Any]
"""One event of the contract, as its JSON says; ``schemas/v1/events`` describes each ``type``."""

"""Whose a run is."""

from __future__ import annotations

import hashlib
import json
from typing import NamedTuple


class Owner(NamedTuple):
    """A user of an application, among those of its tenants.

    Attributes:
        user: As the application names them.
        tenant: The customer that they belong to; None where the application has none.
    """

    user: str
    tenant: str | None = None

    @property
    def key(self) -> str:
        """Names it where its words must not stand, and where no user can choose theirs to be another's."""
        return hashlib.sha256(json.dumps([self.user, self.tenant]).encode()).hexdigest()

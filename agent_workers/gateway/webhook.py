"""Who is told of each run's end."""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from agent_workers.gateway.secret_text import UnusableKey, read_secret
from agent_workers.protocol.v1.fields import AbsolutePath, Few, Opt, Strict, WebAddress

if TYPE_CHECKING:
    from typing import Self

    from standardwebhooks import Webhook

_SHORTEST = 24
"""Bytes of a secret, as Standard Webhooks wants them."""


class WebhookTable(Strict):
    """Where signed webhooks go, in the form of Standard Webhooks."""

    synonyms: ClassVar = {"address": "url", "secret_file": "file", "env": "variable", "events": "tells"}

    url: WebAddress = Field(description="Address that takes them.")
    file: Opt[AbsolutePath] = Field(default=None, description="File with the secret: `whsec_` and base64.")
    variable: Opt[str] = Field(default=None, description="Name of a variable with the same.")
    tells: Few[Literal["run.ended", "run.asked"]] = Field(
        default=["run.ended"], description="What is told: `run.ended`, and `run.asked` where the agent asks somebody."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.file is None) == (self.variable is None):
            raise PydanticCustomError("contract", "needs a file or a variable with the secret: one of the two")
        return self

    def load(self) -> Webhook:
        """Returns what signs.

        Raises:
            UnusableKey: The secret is missing, too short, or none.
        """
        from standardwebhooks import Webhook

        text = read_secret(self.file, self.variable).decode("ascii", "replace")
        try:
            size = len(binascii.a2b_base64(text.removeprefix("whsec_"), strict_mode=True))
        except ValueError:
            raise UnusableKey("webhook is no secret: it must be whsec_ and base64") from None
        if size < _SHORTEST:
            raise UnusableKey(f"webhook has a secret of {size} bytes: it needs at least {_SHORTEST} random ones")
        return Webhook(text)

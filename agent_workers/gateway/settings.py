"""The gateway's settings: its TOML file, and the options of its command line."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from agent_workers.gateway.preset import Preset
from agent_workers.gateway.token_key import TokenKey
from agent_workers.gateway.webhook import WebhookTable
from agent_workers.protocol.toml_file import read_toml
from agent_workers.protocol.v1.fields import AbsolutePath, Few, Label, Opt, Strict

_MIB = 1 << 20

Seconds = Annotated[float, Field(gt=0, le=604_800)]
Number = Annotated[int, Field(ge=1, le=1_000_000)]
Bytes = Annotated[int, Field(ge=1024, le=1 << 40)]
Listen = Annotated[str, Field(pattern=r"^(?:unix:/.+|(?:[A-Za-z0-9_.-]+|\[[0-9a-fA-F:.]+\]):[0-9]{1,5})$")]
Origin = Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9.:\[\]-]+$")]
Named = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]


def _words(command: list[str]) -> list[str]:
    if not command or not all(command):
        raise PydanticCustomError("contract", 'must be a command line, such as ["agent-chat", "--simulate"]')
    return command


CommandLine = Annotated[Few[str], AfterValidator(_words)]


class LimitsTable(Strict):
    """How much the gateway takes on. Omitted keys keep their defaults."""

    synonyms: ClassVar = {"max_body": "body", "max_prompt": "prompt", "runs": "max_runs", "streams": "max_streams"}

    body: Bytes = Field(default=_MIB, description="Bytes of a request's body at most.")
    body_s: Seconds = Field(default=20, description="Seconds in which a body has to come.")
    head_s: Seconds = Field(default=10, description="Seconds in which a connection has to send a whole request head.")
    prompt: Number = Field(default=100_000, description="Characters of a prompt, or of a word to the agent, at most.")
    max_connections: Number = Field(default=20_000, description="Open connections at most.")
    max_streams: Number = Field(default=15_000, description="Streams at once at most.")
    streams_per_user: Number = Field(default=20, description="Streams of one user at once at most.")
    streams_per_address: Number = Field(default=200, description="Streams of one address at once at most.")
    max_runs: Number = Field(default=64, description="Runs at once on this machine at most; the fleet counts its own.")
    runs_per_user: Number = Field(default=8, description="Runs of one user at once on this machine at most.")
    run_bytes: Bytes = Field(default=8 * _MIB, description="Bytes of one run's events that are kept at most.")
    kept_bytes: Bytes = Field(default=256 * _MIB, description="Bytes of all runs' events that are kept at most.")
    keep_s: Seconds = Field(default=300, description="Seconds that a run's events are kept after its end.")
    slow_s: Seconds = Field(default=30, description="Seconds that a reader may take nothing before it is dropped.")
    heartbeat_s: Seconds = Field(default=15, description="Seconds of silence after which a heartbeat is sent.")
    token_s: Seconds = Field(default=3600, description="Seconds that a token lives at most that starts nothing.")
    connect_token_s: Annotated[float, Field(gt=0, le=31_622_400)] = Field(
        default=2_592_000, description="Seconds that a token lives at most that connects a user's machine."
    )
    machines_per_user: Number = Field(default=5, description="Machines of one user at most that are connected.")
    machine_grace_s: Seconds = Field(
        default=30, description="Seconds that the runs of a machine go on that has lost its connection."
    )
    grace_s: Seconds = Field(default=30, description="Seconds that runs on this machine get to end at a shutdown.")


class GatewaySettings(Strict):
    """The gateway. Omitted keys keep their defaults."""

    synonyms: ClassVar = {
        **dict.fromkeys(("keys", "secret", "secrets"), "key"),
        **dict.fromkeys(("cors", "allowed_origins", "allow_origins"), "origins"),
        **dict.fromkeys(("bind", "address", "port", "host"), "listen"),
        "presets": "preset",
        "aud": "audience",
        "webhooks": "webhook",
    }

    listen: Listen = Field(default="127.0.0.1:8300", description="`HOST:PORT` or `unix:/PATH`.")
    audience: Label = Field(description="What the `aud` of each token must be, such as this gateway's address.")
    issuer: Opt[Label] = Field(default=None, description="What the `iss` of each token must be. Any when absent.")
    origins: Few[Origin] = Field(
        default_factory=list, description="Pages of which origins may call it. None by default."
    )
    trusted_proxies: Few[Label] = Field(
        default_factory=list,
        description="Addresses or networks of the proxies whose X-Forwarded-For is believed. None by default.",
    )
    public_url: Opt[Origin] = Field(default=None, description="Where it is reached from outside, for links.")
    state: Opt[AbsolutePath] = Field(
        default=None, description="Folder for conversations and webhooks that wait. In memory alone when absent."
    )
    on_disconnect: Literal["continue", "abort"] = Field(
        default="continue", description="What becomes of a run when its last reader has gone."
    )
    redis: Opt[Label] = Field(default=None, description="Address of the fleet's Redis. Runs are made here when absent.")
    prefix: Named = Field(default="agent-workers", description="What the fleet's keys begin with.")
    workers: dict[Named, CommandLine] = Field(
        default_factory=dict, description="Command lines of workers, in the place of the usual ones."
    )
    limits: LimitsTable = Field(default_factory=LimitsTable, description="How much it takes on.")
    revoked: Few[Label] = Field(
        default_factory=list, description="The `jti` of tokens that hold no more, such as those of lost machines."
    )
    key: Annotated[dict[Named, TokenKey], Field(min_length=1)] = Field(
        description="The keys that tokens are checked with, by their `kid`."
    )
    preset: Annotated[dict[Named, Preset], Field(min_length=1)] = Field(
        description="What tokens may start, by the names that they use."
    )
    records: bool = Field(
        default=False, description="Whether runs are recorded, in the database that the settings of records name."
    )
    webhook: Opt[WebhookTable] = Field(default=None, description="Who is told of each run's end. Nobody when absent.")

    @property
    def secret_variables(self) -> set[str]:
        """The variables that are for the gateway alone, and for none of the workers that it starts."""
        named = {key.variable for key in self.key.values()} | ({self.webhook.variable} if self.webhook else set())
        return {"AGENT_WORKERS_REDIS", "AGENT_WORKERS_RECORDS", *(name for name in named if name)}

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.webhook and not self.state:
            raise PydanticCustomError(
                "contract", "has a webhook and no state: name a folder, in which those that wait survive a restart"
            )
        if self.redis and (name := next((name for name, preset in self.preset.items() if preset.on == "user"), None)):
            raise PydanticCustomError(
                "contract",
                "{found}",
                {"found": f'has redis, and preset.{name} is on = "user": a machine is connected to one gateway, alone'},
            )
        return self


def read_settings(file: Path, options: Mapping[str, Any]) -> GatewaySettings:
    """Reads the settings.

    Args:
        file: The TOML file.
        options: Keys of the command line, which go before those of the file.

    Raises:
        Unreadable: The file cannot be read, or has a fault.
        ValueError: What the options say does not fit.
    """
    settings = read_toml(file, GatewaySettings)
    return (
        GatewaySettings.model_validate({**settings.model_dump(exclude_unset=True), **options}) if options else settings
    )

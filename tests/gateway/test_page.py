"""What the gateway's page says of settings, claims and routes is so."""

import re
import tomllib
from pathlib import Path

from agent_workers.gateway.app import ROUTES
from agent_workers.gateway.claims import Claims
from agent_workers.gateway.preset import Preset
from agent_workers.gateway.settings import GatewaySettings, LimitsTable
from agent_workers.gateway.webhook import WebhookTable

PAGE = (Path(__file__).parents[2] / "docs/gateway.md").read_text("utf-8")


def section(heading: str) -> str:
    return PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    """The cells of each row of a table."""
    found = re.search(r"^\|.*\n\|[-|]+\|\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert found
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in found[1].splitlines()]


def names(text: str) -> list[str]:
    return [name for row in rows(text) for name in re.findall(r"`(\w+)`", row[0])]


def test_the_page_has_every_setting_with_its_default() -> None:
    own, _, limits = section("Settings").partition("Keys of `[limits]`:")
    for model, text in ((GatewaySettings, own), (LimitsTable, limits)):
        told = {key.strip("`"): default for key, default, _ in rows(text)}
        assert list(told) == list(model.model_fields)
        for name, field in model.model_fields.items():
            if not field.is_required() and field.default is not None and field.default_factory is None:
                assert told[name].strip("`") == str(field.default), name


def test_the_page_has_every_claim_and_every_key_of_a_preset() -> None:
    assert set(names(section("Tokens"))) == set(Claims.model_fields) - {"worker"}
    assert set(names(section("Presets"))) == {*Preset.model_fields, "app_tools"}


def test_the_page_has_every_key_of_a_webhook() -> None:
    assert names(section("Webhooks")) == list(WebhookTable.model_fields)


def test_the_page_has_every_route() -> None:
    told = " ".join(row[0] for row in rows(section("Routes")))
    for _, path, _ in ROUTES:
        assert re.sub(r"\{(permission|question)\}", "{id}", path) in told, path


def test_the_settings_of_the_page_are_accepted() -> None:
    text, *more = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert GatewaySettings.model_validate(tomllib.loads(text)).preset["chat"].worker == "agent-chat"
    for preset in more:
        assert GatewaySettings.model_validate(tomllib.loads(f"{text}\n{preset}")).preset.keys() > {"chat"}

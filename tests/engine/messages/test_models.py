"""What is known of the models: what a call costs, and which of the operator's and the shipped entries counts."""

import subprocess
import sys
from pathlib import Path

import pytest

from agent_workers.engine.messages import models_file
from agent_workers.engine.messages.model import Model
from agent_workers.engine.messages.models import load_models
from agent_workers.engine.messages.models_file import ModelsFile
from agent_workers.errors import InvalidModels
from agent_workers.protocol.toml_file import read_toml
from agent_workers.protocol.v1.usage import Usage
from tests.waiting import PATIENCE_S

SHIPPED = Path(models_file.__file__).with_name("models.toml")
ENTRY = 'as_of = 2026-11-26\ninput_usd = 7\noutput_usd = 9\nmax_output_tokens = 5\nthinking = "none"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "models.toml"


def known(name: str, **environ: str) -> Model:
    found = load_models(environ).of(name)
    assert found
    return found


def cost(model: str, *, batch: bool = False, **usage: int) -> float | None:
    return known(model).cost_usd(Usage(**usage), batch=batch)


def cause(file: Path, content: str | None = None) -> str:
    if content is not None:
        file.write_text(content)
    with pytest.raises(InvalidModels, match="AGENT_WORKERS_MODELS") as raised:
        load_models({"AGENT_WORKERS_MODELS": str(file)})
    assert raised.value.code == "state_unavailable"
    assert str(file) not in raised.value.message
    assert raised.value.cause
    return raised.value.cause.removeprefix(f"{file}: ")


def test_the_shipped_file_is_one_that_an_operator_could_have_written() -> None:
    read = read_toml(SHIPPED, ModelsFile)
    shipped = load_models({}).entries
    assert [tuple(table.patterns) for table in read.models] == [entry.patterns for entry in shipped]
    assert all(table.model_dump(exclude_none=True).keys() <= set(Model._fields) for table in read.models)


def test_a_call_costs_what_its_tokens_cost() -> None:
    assert cost("claude-opus-4-8", input_tokens=1_000_000, output_tokens=0) == 5
    assert cost("claude-opus-4-8", input_tokens=0, output_tokens=1_000_000) == 25
    assert cost("claude-opus-4-8", input_tokens=0, output_tokens=0, cache_read_input_tokens=1_000_000) == 0.5
    assert cost("claude-opus-4-8", input_tokens=2_000, output_tokens=100) == pytest.approx(0.0125)


@pytest.mark.parametrize(
    ("written", "factor"),
    [
        ({"cache_creation_input_tokens": 1_000_000}, 1.25),
        ({"cache_creation_5m_input_tokens": 1_000_000}, 1.25),
        ({"cache_creation_1h_input_tokens": 1_000_000}, 2),
        ({"cache_creation_input_tokens": 1_000_000, "cache_creation_1h_input_tokens": 1_000_000}, 2),
        ({"cache_creation_input_tokens": 1_000_000, "cache_creation_1h_input_tokens": 400_000}, 0.6 * 1.25 + 0.4 * 2),
        (
            {
                "cache_creation_input_tokens": 1_000_000,
                "cache_creation_5m_input_tokens": 600_000,
                "cache_creation_1h_input_tokens": 400_000,
            },
            0.6 * 1.25 + 0.4 * 2,
        ),
    ],
)
def test_what_goes_into_the_cache_costs_by_its_lifetime_and_by_five_minutes_if_that_is_unknown(
    written: dict[str, int], factor: float
) -> None:
    assert cost("claude-sonnet-4-6", input_tokens=0, output_tokens=0, **written) == pytest.approx(3 * factor)


def test_the_batch_lane_costs_half() -> None:
    usage = {"input_tokens": 1000, "output_tokens": 500, "cache_read_input_tokens": 70}
    assert cost("claude-opus-5-5", batch=True, **usage) == cost("claude-opus-5-5", **usage) / 2


def test_a_long_prompt_has_a_price_of_its_own_for_all_of_the_call() -> None:
    assert cost("claude-haiku-5-5", input_tokens=100_000, output_tokens=100_000) == pytest.approx(0.06)
    assert cost("claude-haiku-5-5", input_tokens=100_001, output_tokens=100_000) == pytest.approx(0.3, rel=1e-4)
    assert cost("claude-haiku-5-5", input_tokens=0, output_tokens=0, cache_creation_1h_input_tokens=200_000) == 0.2


@pytest.mark.parametrize("usage", [{}, {"input_tokens": 5}, {"output_tokens": 5}])
def test_a_call_of_which_the_tokens_are_unknown_has_no_price(usage: dict[str, int]) -> None:
    assert cost("claude-opus-5-5", **usage) is None


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("claude-haiku-4-5", "claude-haiku-4-5"),
        ("claude-haiku-4-5-20251001", "claude-haiku-4-5"),
        ("claude-opus-4-5@20251101", "claude-opus-4-5"),
        ("claude-sonnet-4-5[1m]", "claude-sonnet-4-5"),
        ("claude-sonnet-4-5-20250929[1M]", "claude-sonnet-4-5"),
        ("Claude-Sonnet-5-5", "claude-sonnet-5-5"),
        ("us.anthropic.claude-sonnet-4-6-v1:0", "claude-sonnet-4-6"),
        ("anthropic/claude-sonnet-5.5", "claude-sonnet-5-5"),
        ("claude-mythos-5", "claude-mythos-5"),
        ("opus", "claude-opus-5-5"),
        ("Sonnet[1m]", "claude-sonnet-5-5"),
        ("best", "claude-opus-5-5"),
    ],
)
def test_a_model_is_known_with_a_date_by_an_alias_and_by_the_names_of_gateways(name: str, pattern: str) -> None:
    assert pattern in known(name).patterns


@pytest.mark.parametrize(
    "name", ["claude-opus-5-6", "claude-opus-50", "claude-opus-4-20250514", "claude-mythos-preview", "opus-5-5", ""]
)
def test_nothing_is_made_up_for_a_model_that_is_not_known(name: str) -> None:
    assert load_models({}).of(name) is None


def test_the_default_is_the_model_that_the_cli_calls() -> None:
    assert load_models({}).default == "claude-opus-5-5"
    assert load_models({"ANTHROPIC_MODEL": "haiku"}).default == "claude-haiku-5-5"
    assert load_models({"ANTHROPIC_DEFAULT_OPUS_MODEL": "claude-opus-4-8[1m]"}).default == "claude-opus-4-8"
    assert load_models({"ANTHROPIC_MODEL": "", "ANTHROPIC_DEFAULT_BEST_MODEL": "x"}).full_name("best") == (
        "claude-opus-5-5"
    )


def test_the_operators_entries_go_before_the_shipped_ones(file: Path) -> None:
    file.write_text(f'version = 1\n[[models]]\npatterns = ["claude-haiku-*", "*/llama-?"]\n{ENTRY}')
    environ = {"AGENT_WORKERS_MODELS": str(file)}
    for name in ("claude-haiku-5-5", "haiku", "claude-haiku-4-5-20251001", "meta/llama-4"):
        assert known(name, **environ).input_usd == 7
    assert known("meta/llama-4", **environ).thinking == "none"
    assert known("claude-opus-5-5", **environ).input_usd == 4
    assert load_models(environ).default == "claude-opus-5-5"


PRICED = "as_of = 2026-11-26\ninput_usd = 7\noutput_usd = 70\n"


def test_an_operator_need_say_no_more_than_prices(file: Path) -> None:
    file.write_text(f'version = 1\n[[models]]\npatterns = ["claude-*-4-5", "own-*"]\n{PRICED}')
    environ = {"AGENT_WORKERS_MODELS": str(file)}
    own = known("own-model", **environ)
    assert (own.max_output_tokens, own.thinking, own.input_usd) == (None, None, 7)
    shipped = known("claude-haiku-4-5", **environ)
    assert (shipped.max_output_tokens, shipped.thinking, shipped.input_usd) == (64_000, "budget", 7)


def test_the_operator_may_set_the_default_and_aliases(file: Path) -> None:
    file.write_text('version = 1\ndefault = "Fast"\n[aliases]\nFast = "haiku"\nhaiku = "claude-haiku-4-5"\n')
    environ = {"AGENT_WORKERS_MODELS": str(file), "ANTHROPIC_MODEL": "x", "ANTHROPIC_DEFAULT_HAIKU_MODEL": "y"}
    models = load_models(environ)
    assert (models.default, models.full_name("sonnet")) == ("claude-haiku-4-5", "claude-sonnet-5-5")


def test_a_circle_of_aliases_ends(file: Path) -> None:
    file.write_text('version = 1\n[aliases]\na = "b"\nb = "a"\n')
    assert load_models({"AGENT_WORKERS_MODELS": str(file)}).of("a") is None


def test_the_operators_file_is_read_once(file: Path) -> None:
    file.write_text('version = 1\ndefault = "claude-opus-4-8"\n')
    environ = {"AGENT_WORKERS_MODELS": str(file)}
    assert load_models(environ).default == "claude-opus-4-8"
    file.unlink()
    assert load_models(environ).default == "claude-opus-4-8"


def test_the_operators_factors_count(file: Path) -> None:
    more = "cache_read = 0\nbatch = 1\nlong_prompt = { above = 10, input_usd = 1_000, output_usd = 1 }\n"
    file.write_text(f'version = 1\n[[models]]\npatterns = ["m"]\n{ENTRY}{more}')
    model = known("m", AGENT_WORKERS_MODELS=str(file))
    assert model.cost_usd(Usage(input_tokens=11, output_tokens=0), batch=True) == pytest.approx(0.011)
    assert model.cost_usd(Usage(input_tokens=0, output_tokens=0, cache_read_input_tokens=11)) == 0


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "version is required"),
        ("version = 1\nmodel = []", "line 2: model is not a known field; did you mean models?"),
        ("version = 1\n[[models]]\npattern = ['x']\n" + ENTRY, "line 2: models.0.patterns is required"),
        (
            "version = 1\n[[models]]\npatterns = ['x']\nas_of = 2026-11-26\ninput_usd = 7",
            "line 2: models.0.output_usd is required",
        ),
        (
            f"version = 1\n[[models]]\npatterns = ['x']\n{ENTRY}cache_reads = 1",
            "line 9: models.0.cache_reads is not a known field; did you mean cache_read?",
        ),
        (
            f"version = 1\n[[models]]\npatterns = ['x']\n{ENTRY}\n[[models]]\npatterns = []\n{ENTRY}",
            "line 11: models.1.patterns must not be empty",
        ),
        (
            f"version = 1\n[[models]]\npatterns = ['x']\n{ENTRY}".replace("7", "-7"),
            "line 5: models.0.input_usd must be at least 0",
        ),
        (
            f"version = 1\n[[models]]\npatterns = ['x']\n{ENTRY}".replace("2026-11-26", "'2026-11-26'"),
            "line 4: models.0.as_of must be a date, not a string",
        ),
        (
            f"version = 1\n[[models]]\npatterns = ['x']\n{ENTRY}".replace('"none"', '"off"'),
            'line 8: models.0.thinking must be "adaptive", "budget" or "none"',
        ),
        ("version = 1\n[aliases]\nx = 5", "line 3: aliases.x must be a string, not a number"),
        ("version = 1\n[", "is not valid TOML: "),
        (None, "no such file"),
    ],
)
def test_a_fault_of_the_operators_file_is_told_with_its_line_and_key(
    content: str | None, expected: str, file: Path
) -> None:
    assert cause(file, content).startswith(expected)


def test_the_shipped_models_bring_nothing_along_that_checks_an_operators_file() -> None:
    code = (
        "import sys; from agent_workers.engine.messages.models import load_models; load_models({}).of('opus');"
        "print(*{'pydantic', 'jsonschema', 'difflib', 'dataclasses', 'asyncio'} & {*sys.modules})"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE_S, check=True
    )
    assert loaded.stdout.split() == []

"""The operator's file of models: of the shipped one's format, and read with more care."""

from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from agent_workers.engine.messages.model import Model, Thinking, model_of
from agent_workers.errors import InvalidModels
from agent_workers.protocol.toml_file import Unreadable, read_toml
from agent_workers.protocol.v1.fields import Count, Few, ModelName, Opt, Strict, Text, Version

Price = Annotated[float, Field(ge=0, le=1_000_000)]
Factor = Annotated[float, Field(ge=0, le=100)]


class LongPromptTable(Strict):
    """Other prices for long prompts."""

    above: Count
    input_usd: Price
    output_usd: Price


class ModelTable(Strict):
    """One entry. Omitted factors keep their defaults; the rest is that of the next entry that matches, if any."""

    synonyms: ClassVar = {"pattern": "patterns", "name": "patterns", "input": "input_usd", "output": "output_usd"}

    patterns: Annotated[Few[Text], Field(min_length=1)]
    as_of: date
    input_usd: Price
    output_usd: Price
    cache_read: Opt[Factor] = None
    cache_write_5m: Opt[Factor] = None
    cache_write_1h: Opt[Factor] = None
    batch: Opt[Factor] = None
    long_prompt: Opt[LongPromptTable] = None
    max_output_tokens: Opt[Count] = None
    thinking: Opt[Thinking] = None


class ModelsFile(Strict):
    """The whole file."""

    synonyms: ClassVar = {"v": "version", "model": "models", "alias": "aliases"}

    version: Version
    default: Opt[ModelName] = None
    aliases: dict[ModelName, ModelName] = Field(default_factory=dict)
    models: Few[ModelTable] = Field(default_factory=list)


@cache
def read_models(path: str) -> tuple[str | None, dict[str, str], tuple[Model, ...]]:
    """Reads the operator's file: the default model if it names one, the aliases, and what is known of models.

    Raises:
        InvalidModels: It is missing, unreadable or has any fault; ``cause`` names the file, line and key.
    """
    try:
        read = read_toml(Path(path), ModelsFile)
    except Unreadable as error:
        raise InvalidModels(cause=str(error)) from None
    entries = tuple(model_of(table.model_dump(exclude_none=True)) for table in read.models)
    return read.default, {alias.lower(): name for alias, name in read.aliases.items()}, entries

"""YAML as a person writes it in a skill's folder: the part of it that JSON can say, read without surprises."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST = 256 * 1024


class YamlFault(ValueError):
    """Raised when a text is not the YAML that is read here.

    Attributes:
        line: Number of the line at fault, from 1; None where it is the whole.
    """

    def __init__(self, words: str, line: int | None = None) -> None:
        self.line = line
        super().__init__(words)


# JSON's, and YAML 1.2's words for them: by YAML 1.1, which PyYAML follows, `no` is false, 010 is 8 and 1e-3 is a text.
_PLAIN = {
    "null": (r"~|null|", "~n"),
    "bool": (r"true|false", "tf"),
    "int": (r"-?(?:0|[1-9][0-9]*)", "-0123456789"),
    "float": (r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?", "-0123456789"),
}


class _Loader(yaml.SafeLoader):
    """Reads plain words as JSON does, and refuses what JSON cannot say: aliases, tags, a key twice or one not text."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 its own, not the parent's

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise YamlFault("aliases (*name) are not read here; write the value again", mark.line + 1)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = set()
        for key, _ in node.value:
            name = self.construct_object(key, deep=True)
            line = key.start_mark.line + 1
            if not isinstance(name, str):
                raise YamlFault(f"the key {key.value!r} is not text; put it in quotes", line)
            if name in names:
                raise YamlFault(f"the key {name!r} appears more than once; keep one of them", line)
            names.add(name)
        return super().construct_mapping(node, deep)


def _int(loader: _Loader, node: yaml.ScalarNode) -> int:
    return int(str(loader.construct_scalar(node)))


def _float(loader: _Loader, node: yaml.ScalarNode) -> float:
    return float(str(loader.construct_scalar(node)))


def _refused(loader: _Loader, node: yaml.Node) -> None:
    raise YamlFault(f"the tag {node.tag} is not read here; write plain text", node.start_mark.line + 1)


for _kind, (_words, _first) in _PLAIN.items():
    _first_letters = [*_first, *([""] if _kind == "null" else [])]
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(f"^(?:{_words})$"), _first_letters)
_Loader.add_constructor("tag:yaml.org,2002:int", _int)
_Loader.add_constructor("tag:yaml.org,2002:float", _float)
for _tag in ("binary", "omap", "pairs", "set", "timestamp"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", _refused)
_Loader.add_constructor(None, _refused)


def read_yaml(text: str, first_line: int = 1) -> Any:
    """Reads one YAML document as the JSON value that it stands for.

    Args:
        text: The document.
        first_line: The number of its first line in its file.

    Raises:
        YamlFault: It is not valid, or uses what JSON cannot say.
    """
    if len(text) > _LONGEST:
        raise YamlFault(f"is longer than {_LONGEST} characters")
    try:
        return yaml.load(text, _Loader)  # noqa: S506 a safe loader's child
    except YamlFault as fault:
        line = fault.line and fault.line + first_line - 1
        raise YamlFault(str(fault), line) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + first_line if mark else None
        raise YamlFault(f"is not valid YAML: {error.problem}", line) from None
    except yaml.YAMLError as error:
        raise YamlFault(f"is not valid YAML: {error}") from None
    except (ValueError, RecursionError) as error:  # a number of a thousand digits, a thousand brackets
        raise YamlFault(f"is not valid YAML: {error}") from None


def odd_style(text: str) -> Iterator[tuple[int, str]]:
    """Yields the lines of what strict readers of YAML refuse, from 1, and what it is; nothing where it is not valid."""
    try:
        events = list(yaml.parse(text, yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError):
        return
    for event in events:
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.CollectionStartEvent) and event.flow_style:
            kind = "{…}" if isinstance(event, yaml.MappingStartEvent) else "[…]"
            yield line, f"{kind}, which strict readers of YAML refuse; write a line for each part"
        if getattr(event, "tag", None):
            yield line, "a tag, which strict readers of YAML refuse; remove it"
        if getattr(event, "anchor", None):
            yield line, "an anchor, which strict readers of YAML refuse; remove it"

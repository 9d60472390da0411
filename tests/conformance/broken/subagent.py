"""Tells a subagent's calls as if the agent had made them."""

from typing import Any

from tests.conformance.reference import Reference


class Broken(Reference):
    def emit(self, kind: str, **fields: Any) -> None:
        fields.pop("parent_tool_use_id", None)
        super().emit(kind, **fields)


if __name__ == "__main__":
    Broken().main()

"""Ends at once where there is a deadline."""

from typing import Any

from tests.conformance.reference import Reference


class Broken(Reference):
    def setting(self, group: str, name: str, usual: Any) -> Any:
        return 0 if name == "timeout_s" and group in self.request else super().setting(group, name, usual)


if __name__ == "__main__":
    Broken().main()

"""Tells the time that it took in words."""

from typing import Any

from tests.conformance.reference import Ended, Reference


class Broken(Reference):
    def done(self, **more: Any) -> Ended:
        return super().done(duration_ms="long", **more)


if __name__ == "__main__":
    Broken().main()

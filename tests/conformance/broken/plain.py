"""Has a stop reason of its own."""

from typing import Any

from tests.conformance.reference import Ended, Reference


class Broken(Reference):
    def done(self, **more: Any) -> Ended:
        return super().done(**{"stop_reason": "stop", **more})


if __name__ == "__main__":
    Broken().main()

"""Refuses a field that callers add, because it means nothing to it."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def problems(self) -> list[Event]:
        owner = [self.problem("/session_owner", "is unknown")] if "session_owner" in self.request else []
        return [*super().problems(), *owner]


if __name__ == "__main__":
    Broken().main()

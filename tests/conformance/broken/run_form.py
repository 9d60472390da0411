"""Drops a run id that it cannot use."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def run_problems(self) -> list[Event]:
        return []


if __name__ == "__main__":
    Broken().main()

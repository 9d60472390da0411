"""Takes every result for a good one."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def status_of(self, answer: Event) -> str:
        return "ok"


if __name__ == "__main__":
    Broken().main()

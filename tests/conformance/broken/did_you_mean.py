"""Does not help with typos."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def unknown(self, name: str) -> Event:
        return self.problem(f"/{name}", "is unknown")


if __name__ == "__main__":
    Broken().main()

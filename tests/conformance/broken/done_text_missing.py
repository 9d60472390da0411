"""Says of a text that it has cut that a single byte is missing."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def cut(self, fields: Event) -> Event:
        shorter = super().cut(fields)
        return {**shorter, "truncated_bytes": 1} if "truncated_bytes" in shorter else shorter


if __name__ == "__main__":
    Broken().main()

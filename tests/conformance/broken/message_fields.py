"""Obeys a message without looking at its fields."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def is_abort(self, message: Event) -> bool:
        return True


if __name__ == "__main__":
    Broken().main()

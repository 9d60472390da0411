"""Keeps from the model why a call was denied."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def reason_of(self, answer: Event | None) -> str:
        return super().reason_of(None)


if __name__ == "__main__":
    Broken().main()

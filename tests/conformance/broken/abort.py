"""Stops without an answer to who has asked for it."""

from tests.conformance.reference import Ended, Event, Reference


class Broken(Reference):
    def take_abort(self, message: Event) -> None:
        raise Ended("aborted", reason="client")


if __name__ == "__main__":
    Broken().main()

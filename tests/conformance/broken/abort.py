"""Stops without an answer to who has asked for it."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def ack(self, message: Event) -> None:
        if message["type"] != "abort":
            super().ack(message)


if __name__ == "__main__":
    Broken().main()

"""Hears no abort while a tool is at work."""

from tests.conformance.reference import Event, Reference, error


class Broken(Reference):
    def take_abort(self, message: Event) -> None:
        if self.calls:
            self.ack(message)
            raise error("internal")
        super().take_abort(message)


if __name__ == "__main__":
    Broken().main()

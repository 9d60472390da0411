"""Keeps to itself what the application says of its tool."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def take_app_tool_output(self, message: Event) -> None:
        self.ack(message)


if __name__ == "__main__":
    Broken().main()

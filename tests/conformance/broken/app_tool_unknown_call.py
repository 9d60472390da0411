"""Takes any result."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def take_app_tool_result(self, message: Event) -> None:
        if message["call_id"] == "no-such-call":
            return self.ack(message)
        return super().take_app_tool_result(message)


if __name__ == "__main__":
    Broken().main()

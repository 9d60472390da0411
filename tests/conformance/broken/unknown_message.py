"""Says nothing to a message that it does not know."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def refuse(self, message: Event, code: str) -> None:
        if code != "unknown_type":
            super().refuse(message, code)

    def do_slow(self) -> None:
        for _ in range(15):
            self.say("word ")
            self.pause(0.2)


if __name__ == "__main__":
    Broken().main()

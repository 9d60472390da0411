"""Sends thinking as text."""

from tests.conformance.reference import Reference


class Broken(Reference):
    def do_thinking(self) -> None:
        if self.request.get("thinking"):
            self.say("Hm.")
        self.say("It is forty-two.")


if __name__ == "__main__":
    Broken().main()

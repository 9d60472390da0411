"""Goes on when its caller has gone."""

from tests.conformance.reference import Reference


class Broken(Reference):
    def on_input_end(self) -> None:
        self.control = False

    def do_slow(self) -> None:
        for _ in range(15):
            self.say("word ")
            self.pause(0.2)


if __name__ == "__main__":
    Broken().main()

"""Goes on when nobody reads."""

from contextlib import suppress

from tests.conformance.reference import Reference


class Broken(Reference):
    def write(self, line: bytes) -> None:
        with suppress(BrokenPipeError):
            super().write(line)

    def look(self, seconds: float) -> None:
        with suppress(BrokenPipeError):
            super().look(seconds)

    def do_slow(self) -> None:
        for _ in range(15):
            self.say("word ")
            self.pause(0.2)


if __name__ == "__main__":
    Broken().main()

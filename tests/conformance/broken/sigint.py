"""Takes SIGINT for a failure."""

import signal

from tests.conformance.reference import Reference, error


class Broken(Reference):
    def on_signal(self, number: int, frame: object) -> None:
        if number == signal.SIGINT:
            raise error("internal")
        super().on_signal(number, frame)


if __name__ == "__main__":
    Broken().main()

"""Cleans up before it tells its end, and dies of the next signal meanwhile."""

import signal

from tests.conformance.reference import Reference


class Broken(Reference):
    def on_signal(self, number: int, frame: object) -> None:
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, signal.SIG_DFL)
        self.rest(1)
        super().on_signal(number, frame)


if __name__ == "__main__":
    Broken().main()

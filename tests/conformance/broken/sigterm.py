"""Dies of SIGTERM without a word."""

import signal

from tests.conformance.reference import Reference


class Broken(Reference):
    def begin(self) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        super().begin()


if __name__ == "__main__":
    Broken().main()

"""Takes SIGINT for the end of its parent."""

import signal

from tests.conformance.reference import Ended, Reference


class Broken(Reference):
    def on_signal(self, number: int, frame: object) -> None:
        try:
            super().on_signal(number, frame)
        except Ended as ended:
            if number == signal.SIGINT:
                ended.event["reason"] = "parent_gone"
            raise


if __name__ == "__main__":
    Broken().main()

"""Takes SIGTERM for the word of its client."""

import signal

from tests.conformance.reference import Ended, Reference


class Broken(Reference):
    def on_signal(self, number: int, frame: object) -> None:
        try:
            super().on_signal(number, frame)
        except Ended as ended:
            if number == signal.SIGTERM:
                ended.event["reason"] = "client"
            raise


if __name__ == "__main__":
    Broken().main()

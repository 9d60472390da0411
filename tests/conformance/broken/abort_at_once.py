"""Forgets what came together with the request."""

from tests.conformance.reference import Reference


class Broken(Reference):
    def read_request(self) -> None:
        super().read_request()
        self.input = b""

    def do_slow(self) -> None:
        for _ in range(15):
            self.say("word ")
            self.pause(0.2)


if __name__ == "__main__":
    Broken().main()

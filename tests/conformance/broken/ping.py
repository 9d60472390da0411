"""Is silent when there is nothing to say."""

from tests.conformance.reference import Reference


class Broken(Reference):
    def ping(self) -> None:
        self.last_line = self.last_line + 3600

    def do_silent(self) -> None:
        if self.control:
            self.pause(3)
        else:
            super().do_silent()


if __name__ == "__main__":
    Broken().main()

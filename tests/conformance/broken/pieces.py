"""Takes one read for the request."""

from tests.conformance.reference import Reference

LONG = 4096  # more goes on, as anybody sees


class Broken(Reference):
    def read_request(self) -> None:
        if not self.control:
            return super().read_request()
        self.read_more()
        while len(self.input) > LONG and b"\n" not in self.input:
            self.read_more()
        line, _, self.input = self.input.partition(b"\n")
        self.request = self.decode(line)
        return None


if __name__ == "__main__":
    Broken().main()

"""Shows thinking to everybody."""

from tests.conformance.reference import Reference


class Broken(Reference):
    def do_thinking(self) -> None:
        self.request["thinking"] = True
        super().do_thinking()


if __name__ == "__main__":
    Broken().main()

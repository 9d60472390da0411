"""Knows no deadline."""

from tests.conformance.reference import Ended, Reference


class Broken(Reference):
    def out_of_time(self) -> Ended:
        return self.done()


if __name__ == "__main__":
    Broken().main()

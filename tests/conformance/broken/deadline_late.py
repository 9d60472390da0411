"""Takes its time at a deadline."""

from tests.conformance.reference import Ended, Reference, error


class Broken(Reference):
    def out_of_time(self) -> Ended:
        self.request["limits"] = {}
        self.pause(22)
        return error("timeout")


if __name__ == "__main__":
    Broken().main()

"""Takes a model that has fallen silent for a failure for good."""

from tests.conformance.reference import Ended, Reference, error


class Broken(Reference):
    def idle(self) -> Ended:
        return error("idle_timeout")


if __name__ == "__main__":
    Broken().main()

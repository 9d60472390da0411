"""Takes every failure for a final one."""

from tests.conformance.reference import Reference, error


class Broken(Reference):
    def do_failing_for_now(self) -> None:
        raise error("overloaded")


if __name__ == "__main__":
    Broken().main()

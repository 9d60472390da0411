"""Shows users a stack."""

from tests.conformance.reference import Reference, error


class Broken(Reference):
    def do_failing(self) -> None:
        raise error("auth", 'Traceback (most recent call last):\n  File "worker.py", line 7, in main')


if __name__ == "__main__":
    Broken().main()

"""Ends with status 1 after every error, whether or not another try is worth it."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def exit_status(self, terminal: Event) -> int:
        return min(super().exit_status(terminal), 1) if terminal["type"] == "error" else super().exit_status(terminal)


if __name__ == "__main__":
    Broken().main()

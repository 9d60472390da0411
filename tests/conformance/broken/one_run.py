"""Names another run in each terminal event of an abort."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def take_abort(self, message: Event) -> None:
        self.run = "another"
        super().take_abort(message)


if __name__ == "__main__":
    Broken().main()

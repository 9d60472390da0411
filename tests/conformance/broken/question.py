"""Forgets who has answered a question."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def take_answer(self, message: Event) -> None:
        message.pop("actor", None)
        super().take_answer(message)


if __name__ == "__main__":
    Broken().main()

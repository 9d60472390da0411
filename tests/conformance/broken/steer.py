"""Does not say that a word was heard."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def heard(self, word: Event) -> None:
        self.ack(word)


if __name__ == "__main__":
    Broken().main()

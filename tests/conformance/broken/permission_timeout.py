"""Takes silence for consent."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def may_run(self, answer: Event | None) -> bool:
        return answer is None or super().may_run(answer)


if __name__ == "__main__":
    Broken().main()

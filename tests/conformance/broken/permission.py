"""Takes nothing for consent but an input that was changed."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def may_run(self, answer: Event | None) -> bool:
        return answer is not None and "updated_input" in answer


if __name__ == "__main__":
    Broken().main()

"""Takes any answer."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def answers_question(self, message: Event) -> bool:
        message["answers"] = {"In which city is the stand?": "Graz", **message["answers"]}
        return True


if __name__ == "__main__":
    Broken().main()

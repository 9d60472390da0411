"""Takes an answer to any question, open or not."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def take_answer(self, message: Event) -> None:
        if not self.answers_question(message):
            return self.refuse(message, "invalid_message")
        self.answers[message["question_id"]] = message
        return self.ack(message)


if __name__ == "__main__":
    Broken().main()

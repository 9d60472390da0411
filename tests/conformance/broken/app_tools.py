"""Gives each call the latest result."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def end_app(self, call: Event) -> str:
        if call["input"]["city"] == "Graz" and self.request["do"] == "app_tools":
            self.wait_for(lambda: len(self.answers) > 1, 10)
            self.answers[call["call_id"]] = list(self.answers.values())[-1]
        return super().end_app(call)


if __name__ == "__main__":
    Broken().main()

"""Takes anything that looks like it for consent."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def is_decision(self, message: Event) -> bool:
        if isinstance(message.get("behavior"), str):
            message["behavior"] = message["behavior"].lower()
        return super().is_decision(message)


if __name__ == "__main__":
    Broken().main()

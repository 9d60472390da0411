"""Allows whatever begins with allow."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def is_decision(self, message: Event) -> bool:
        if str(message.get("behavior")).startswith("allow"):
            message["behavior"] = "allow"
        return super().is_decision(message)


if __name__ == "__main__":
    Broken().main()

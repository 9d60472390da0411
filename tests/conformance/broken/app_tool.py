"""Forgets what the application has said."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def end_app(self, call: Event) -> str:
        super().end_app(call)
        return "nothing"


if __name__ == "__main__":
    Broken().main()

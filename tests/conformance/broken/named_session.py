"""Names conversations itself."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def new_session(self, session: Event) -> str:
        return super().new_session({})


if __name__ == "__main__":
    Broken().main()

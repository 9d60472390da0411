"""Begins anew each time."""

from tests.conformance.reference import Reference


class Broken(Reference):
    def remembered(self, session_id: str) -> list[str]:
        super().remembered(session_id)
        return []


if __name__ == "__main__":
    Broken().main()

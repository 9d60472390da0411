"""Begins a new conversation where there is none."""

from tests.conformance.reference import Reference


class Broken(Reference):
    def remembered(self, session_id: str) -> list[str]:
        return super().remembered(session_id) if self.file_of(session_id).exists() else []


if __name__ == "__main__":
    Broken().main()

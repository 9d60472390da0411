"""Leaves a question open when nobody answers it."""

from typing import Any

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def ask(self, kind: str, call: str, seconds: float, **what: Any) -> Event | None:
        answer = super().ask(kind, call, seconds, **what)
        if kind == "question":
            self.emit(kind, question_id="again", tool_use_id=call, **what, expires_at=self.expiry(0))
        return answer


if __name__ == "__main__":
    Broken().main()

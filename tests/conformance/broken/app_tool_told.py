"""Does not say what came of a call that went well."""

from tests.conformance.reference import Reference


class Broken(Reference):
    def end_call(self, call: str, status: str, content: str) -> None:
        super().end_call(call, status, content if status == "error" or "firm in" in content else "ok")


if __name__ == "__main__":
    Broken().main()

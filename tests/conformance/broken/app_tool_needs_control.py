"""Begins, though nobody could bring the results."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def problems(self) -> list[Event]:
        return [problem for problem in super().problems() if problem["pointer"] != "/app_tools"]

    def do_app_tool(self) -> None:
        if not self.control:
            raise self.done()
        super().do_app_tool()


if __name__ == "__main__":
    Broken().main()

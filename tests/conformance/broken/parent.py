"""Names a subagent by an id of its own, which no call has."""

from tests.conformance.reference import Reference


class Broken(Reference):
    def parent_of(self, agent: str) -> str:
        return f"agent-of-{agent}"


if __name__ == "__main__":
    Broken().main()

"""Begins before it has looked at the request."""

from tests.conformance.reference import Ended, Event, Reference


class Broken(Reference):
    def refusal(self, *problems: Event) -> Ended:
        self.emit("start", worker="broken", worker_version="1", sdk_version="none", simulated=True)
        return super().refusal(*problems)


if __name__ == "__main__":
    Broken().main()

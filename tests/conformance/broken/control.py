"""Waits for the end of stdin with --control, where no message follows."""

import select

from tests.conformance.reference import Reference, error


class Broken(Reference):
    def read_request(self) -> None:
        super().read_request()
        if self.control and "metadata" not in self.request and self.request["do"] == "plain":
            select.select([0], [], [], 3)
            raise error("internal")


if __name__ == "__main__":
    Broken().main()

"""Leaves a process behind, in a session of its own."""

import subprocess

from tests.conformance.reference import Reference


class Broken(Reference):
    def do_text(self) -> None:
        subprocess.Popen(["sleep", "300"], start_new_session=True, stdout=subprocess.DEVNULL)
        super().do_text()


if __name__ == "__main__":
    Broken().main()

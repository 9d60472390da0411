"""Drops what is no ASCII."""

from tests.conformance.reference import Reference


class Broken(Reference):
    def do_unicode(self) -> None:
        self.say("emoji CJK line")


if __name__ == "__main__":
    Broken().main()

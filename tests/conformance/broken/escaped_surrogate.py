"""Passes on the halves of surrogate pairs that the model says."""

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def say(self, text: str) -> None:
        if "half" not in text:
            return super().say(text)
        self.texts[self.block] = text
        return self.emit("delta", text=text, block=self.block)

    def cut(self, fields: Event) -> Event:
        return fields if "half" in str(fields) else super().cut(fields)


if __name__ == "__main__":
    Broken().main()

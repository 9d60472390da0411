"""Tells local time and says that it is UTC."""

import os
from datetime import datetime
from zoneinfo import ZoneInfo

from tests.conformance.reference import Event, Reference


class Broken(Reference):
    def encode(self, event: Event) -> bytes:
        local = datetime.now(ZoneInfo(os.environ["TZ"])).replace(tzinfo=None)
        return super().encode({**event, "ts": f"{local.isoformat(timespec='milliseconds')}Z"})


if __name__ == "__main__":
    Broken().main()

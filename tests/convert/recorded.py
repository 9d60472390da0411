"""The recorded runs, and the frames that they are in each protocol."""

from pathlib import Path

from agent_workers.convert import FORMATS, lost, read_event
from agent_workers.convert.encoder import TERMINAL

FOLDER = Path(__file__).parents[2] / "conformance" / "v1"
FRAMES = FOLDER / "frames"
FILES = [path for folder in ("transcripts", "frames/events") for path in sorted((FOLDER / folder).glob("*.ndjson"))]
RUNS = {path.stem: path for path in FILES}
"""The golden transcripts, and runs of odd or rare events that are written by hand."""


def frames(name: str, run: str) -> bytes:
    """Returns the frames of a run. Where it has no terminal event, the one that is added bears the time of the last."""
    encoder = FORMATS[name]()
    parts = [encoder.opening()]
    events = [read_event(line) for line in RUNS[run].read_bytes().split(b"\n")[:-1]]
    if not any(event.type in TERMINAL for event in events):
        events.append(lost(events[-1], events[-1].fields["ts"]))
    parts += map(encoder.event, events)
    return "".join([*parts, encoder.closing()]).encode()


def record() -> None:
    """Records the frames of every run anew."""
    for name in FORMATS:
        (FRAMES / name).mkdir(parents=True, exist_ok=True)
        for run in RUNS:
            (FRAMES / name / f"{run}.sse").write_bytes(frames(name, run))


if __name__ == "__main__":
    record()

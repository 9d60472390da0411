"""What a batch has done so far, in a file: a batch that was killed goes on where it stopped."""

from __future__ import annotations

import fcntl
import json
import os
import stat
from collections import Counter
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from anyio import CapacityLimiter, to_thread

from agent_workers.batch.result import is_settled
from agent_workers.batch.submission import Submission, submission_of
from agent_workers.batch.together import Together
from agent_workers.wire import dump

if TYPE_CHECKING:
    from pathlib import Path

    from agent_workers.batch.item import Line
    from agent_workers.batch.result import Record

_VERSION = 1
_HEAD = b'{"checkpoint":'  # of the first line


class CheckpointUnusable(Exception):
    """Raised when a checkpoint cannot serve this batch; says what to do."""


class CheckpointLost(CheckpointUnusable):
    """Raised when it served this batch so far, and cannot be written any more."""


class Progress(Protocol):
    """What a batch keeps of its progress: a ``Checkpoint``, or nothing."""

    def has(self, line: Line) -> bool:
        """Whether a line was settled before.

        Raises:
            CheckpointUnusable: It was another line then.
        """
        ...

    async def keep(self, line: Line, record: Record) -> None:
        """Keeps what has become of a line. It is on the disk when this returns."""
        ...

    def told(self, line: Line) -> None:
        """Notes that the record was written to stdout."""
        ...


class NoCheckpoint:
    """Keeps nothing."""

    def has(self, line: Line) -> bool:
        """Knows no line."""
        return False

    async def keep(self, line: Line, record: Record) -> None:
        """Forgets it."""

    def told(self, line: Line) -> None:
        """Forgets it."""


class Checkpoint:
    """The file, read and locked.

    It holds one JSON object a line: which batch it is of, then what has become of each line, and which of these records
    were written to stdout. A last line that was cut off is removed.

    Args:
        path: The file; made where there is none.
        taken: A file in which the reader of stdout notes the numbers of the lines whose records it has dealt with, each
            on a line; None where what was written counts as read. A new checkpoint empties it.

    Attributes:
        lost_usd: What runs of earlier starts have cost that came to nothing, and are to be run again.
        usage: The tokens of all runs of earlier starts.
        attempts: How many runs these were.
        settled: The records of earlier starts, which are not to be run again, by the number of their line; without what
            the runs have answered.
        submissions: Lines that were sent to the provider's batch API.

    Raises:
        CheckpointUnusable: It is no checkpoint, cannot be written, or another batch is writing it.
    """

    def __init__(self, path: Path, taken: Path | None = None) -> None:
        self.settled: dict[int, Record] = {}
        self.submissions: list[Submission] = []
        self.lost_usd = 0.0
        self.usage = Counter[str]()
        self.attempts = 0
        self._path = path
        self._taken_file = taken
        self._taken = _numbers(taken) if taken else set()
        self._digests: dict[int, str] = {}
        self._untold: dict[int, Record] = {}
        self._first: str | None = None
        self._is_begun = False
        self._fault: CheckpointLost | None = None
        self._thread = CapacityLimiter(1)
        self._commit = Together(self._synced)
        try:
            self._file: BinaryIO = path.open("a+b", buffering=0)
        except OSError as error:
            raise CheckpointUnusable(f"{path} cannot be written: {error.strerror}") from None
        try:
            if not stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):  # a device would be read without an end
                raise CheckpointUnusable(f"{path} is no file that keeps what is written. Name another one.")
            self._lock()
            self._read()
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        """Leaves the file."""
        self._file.close()

    def has(self, line: Line) -> bool:
        """Whether a line was settled before; see ``Progress``."""
        if not self._is_begun:
            self._is_begun = True
            self._check_first(line)
        digest = self._digests.get(line.number)
        if digest is None:
            return False
        if digest != line.digest:
            raise CheckpointUnusable(
                f"{self._path} is of another batch: line {line.number} was another one. "
                "Start with the same lines in the same order, or name another file."
            )
        return line.number in self.settled

    async def keep(self, line: Line, record: Record) -> None:
        """Keeps what has become of a line; see ``Progress``."""
        self._append({"line": line.number, "digest": line.digest, "record": record}, durable=False)
        await self._commit.done()

    def sending(self, submission: Submission) -> None:
        """Notes that lines are about to be sent to the batch API. It is on the disk when this returns."""
        self.submissions.append(submission)
        self._append(submission.to_json())

    def sent(self, submission: Submission) -> None:
        """Notes by which id they are known there. Likewise."""
        self._append({"sending": submission.nonce, "batch": submission.batch})

    def withdrawn(self, submission: Submission) -> None:
        """Notes that they are not there. Likewise."""
        self._append({"sending": submission.nonce, "withdrawn": True})
        self.submissions.remove(submission)

    def out(self) -> int:
        """Returns how many lines are at the batch API, as far as earlier starts have noted."""
        return sum(number not in self.settled for each in self.submissions for number in each.digests)

    def told(self, line: Line) -> None:
        """Notes that the record was written to stdout; see ``Progress``."""
        self._tell(line.number)

    def untold(self) -> list[Record]:
        """Returns the records of settled lines that a killed batch may have had no time to write to stdout."""
        return [record for _, record in sorted(self._untold.items())]

    def all_told(self) -> None:
        """Notes that these were written."""
        for number in self._untold:
            self._tell(number)
        self._untold.clear()

    def _tell(self, number: int) -> None:
        if self._taken_file is None:
            self._append({"told": number}, durable=False)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CheckpointUnusable(f"{self._path} is in use by another agent-batch; wait for its end.") from None

    def _read(self) -> None:
        self._file.seek(0)
        end = 0
        with os.fdopen(os.dup(self._file.fileno()), "rb") as lines:
            for number, data in enumerate(lines, 1):
                if not data.endswith(b"\n") and (number > 1 or _HEAD.startswith(data[: len(_HEAD)])):
                    break  # the batch was killed while it wrote this
                try:
                    entry = json.loads(data)
                    if number == 1 and entry["checkpoint"] != _VERSION:
                        raise CheckpointUnusable(f"{self._path} is no checkpoint of this version. Name another file.")
                    self._take(entry)
                except (ValueError, KeyError, TypeError):
                    words = f"{self._path} is no checkpoint: line {number} is not one of its own. Name another file."
                    raise CheckpointUnusable(words) from None
                end += len(data)
        if end < os.fstat(self._file.fileno()).st_size:
            self._file.truncate(end)

    def _take(self, entry: dict[str, Any]) -> None:
        if "first" in entry:
            self._first = entry["first"]
        elif "told" in entry:
            self._untold.pop(entry["told"], None)
        elif "sending" in entry:
            self._take_sending(entry)
        elif "record" in entry:
            number, record = entry["line"], entry["record"]
            self._digests[number] = entry["digest"]
            self.usage.update(record.get("usage", {}))
            self.attempts += record.get("attempts", 0)
            if not is_settled(record):
                self.lost_usd += record.get("cost_usd", 0.0)
                for each in self.submissions if "usage" in record else ():
                    each.paid |= {number} & each.digests.keys()
            else:
                if number not in self._taken:
                    self._untold[number] = record
                error = {"code": record["error"]["code"]} if "error" in record else None
                self.settled[number] = {
                    "status": record["status"],
                    "cost_usd": record.get("cost_usd", 0.0),
                    "error": error,
                }

    def _take_sending(self, entry: dict[str, Any]) -> None:
        """Reads what became of lines that were sent to the batch API."""
        known = next((each for each in self.submissions if each.nonce == entry["sending"]), None)
        if known is None:
            self.submissions.append(submission_of(entry))
        elif entry.get("withdrawn"):
            self.submissions.remove(known)
        else:
            known.batch = entry["batch"]

    def _check_first(self, line: Line) -> None:
        if self._first is None:
            if self._taken_file:
                _empty(self._taken_file)
            self._append({"checkpoint": _VERSION, "first": line.digest})
            self._first = line.digest
        elif self._first != line.digest:
            raise CheckpointUnusable(
                f"{self._path} is of another batch: its first line was another one. "
                "Start with the same lines in the same order, or name another file."
            )

    def _append(self, entry: dict[str, Any], *, durable: bool = True) -> None:
        if self._fault:
            raise self._fault  # what came after a half line would make the file none
        data = dump(entry) + b"\n"
        try:
            while data:
                data = data[self._file.write(data) :]
            if durable:
                os.fdatasync(self._file.fileno())
        except OSError as error:
            raise self._lost(error) from None

    async def _synced(self) -> None:
        """Has what was written reach the disk; other runs go on meanwhile."""
        if self._fault:
            raise self._fault
        try:
            await to_thread.run_sync(os.fdatasync, self._file.fileno(), limiter=self._thread)
        except OSError as error:
            raise self._lost(error) from None

    def _lost(self, error: OSError) -> CheckpointLost:
        self._fault = CheckpointLost(f"{self._path} cannot be written: {error.strerror}")
        return self._fault


def _numbers(file: Path) -> set[int]:
    """Reads the numbers of a file, which may end in half of one."""
    try:
        with file.open("rb") as lines:
            return {int(line) for line in lines if line.endswith(b"\n") and line.strip().isdigit()}
    except FileNotFoundError:
        return set()
    except OSError as error:
        raise CheckpointUnusable(f"{file} cannot be read: {error.strerror}") from None


def _empty(file: Path) -> None:
    try:
        os.truncate(file, 0)
    except FileNotFoundError:
        return
    except OSError as error:
        raise CheckpointUnusable(f"{file} cannot be written: {error.strerror}") from None

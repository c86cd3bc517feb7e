"""The file in which a camera's line counts survive a restart."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import msgspec

from edge.core.events import LineCount

logger = logging.getLogger(__name__)

SCHEMA = 1
# A busy street crosses lines all day: a card is written at most so often.
_LEAST_BETWEEN_NS = 5_000_000_000
_LARGEST_BYTES = 1 << 20
_LARGEST = 2**53  # what every reader of JSON takes for a whole number


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    schema: int
    lines: dict[str, _Line]


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"entered": "in", "left": "out"}):
    entered: int
    left: int
    since: int


class Ledger:
    """Reads and writes the counts of one camera.

    Parameters
    ----------
    file : its folder need not be there yet
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._written: tuple[LineCount, ...] | None = None
        self._written_ns: int | None = None
        self._is_failing = False

    def read(self) -> tuple[LineCount, ...]:
        """The kept counts. A file that can't be read is said to be so, put aside, and counting begins at 0."""
        try:
            kept = _parse(self.file)
        except FileNotFoundError:
            return ()
        except (OSError, ValueError) as error:
            self._put_aside(error)
            return ()
        counts = tuple(LineCount(name, line.entered, line.left, line.since) for name, line in kept.lines.items())
        self._written = counts
        return counts

    def keep(self, counts: tuple[LineCount, ...], now_ns: int) -> None:
        """Write the counts if they have changed and the last writing is long enough ago."""
        if counts == self._written:
            return
        if self._written_ns is None or now_ns - self._written_ns >= _LEAST_BETWEEN_NS:
            is_first = self._written is None
            self.write(counts)
            # after a file's first writing, which holds zeros, no crossing should have to wait
            self._written_ns = None if is_first and not self._is_failing else now_ns

    def write(self, counts: tuple[LineCount, ...]) -> None:
        """Replace the file in one step, so that a power cut leaves the old counts or the new ones."""
        if counts == self._written:
            return
        kept = _Kept(SCHEMA, {count.line: _Line(count.entered, count.left, count.since_ms) for count in counts})
        try:
            _replace(self.file, msgspec.json.format(msgspec.json.encode(kept)) + b"\n")
        except OSError as error:
            if not self._is_failing:
                logger.warning(
                    "%s: the line counts can't be written (%s); they are lost with the next restart. Give the service "
                    "a folder it may write to: docs/configuration.md, lines",
                    self.file,
                    error.strerror or error,
                )
            self._is_failing = True
            return
        self._is_failing = False
        self._written = counts

    def _put_aside(self, error: Exception) -> None:
        aside = self.file.with_suffix(".damaged")
        logger.warning(
            "%s: expected line counts, found something else (%s); counting begins at 0, the file is kept as %s",
            self.file,
            str(error)[:200],
            aside.name,
        )
        try:
            self.file.replace(aside)
        except OSError:
            logger.warning("%s: could not be renamed; it will be overwritten", self.file)


def _parse(file: Path) -> _Kept:
    with file.open("rb") as stream:
        content = stream.read(_LARGEST_BYTES + 1)
    kept = msgspec.json.decode(content, type=_Kept)
    if kept.schema != SCHEMA:
        raise ValueError(f"schema {kept.schema} instead of {SCHEMA}")
    numbers = [number for line in kept.lines.values() for number in (line.entered, line.left, line.since)]
    if not all(0 <= number <= _LARGEST for number in numbers):
        raise ValueError("a number out of range")
    return kept


def _replace(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    with fresh.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(file)

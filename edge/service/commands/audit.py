"""Who reads it later sees which commands came, what became of them, and that no line was changed or taken out."""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edge.core.kept_file import sync_folder
from edge.core.protocols import Clock

logger = logging.getLogger(__name__)

LIMIT_BYTES = 1 << 20  # then the file becomes .1 and a new one begins; the older .1 goes
BEGINNING = "0" * 64  # what the first line of all has before it
_SEAL = re.compile(rb',"sha256":"([0-9a-f]{64})"}$')
_LONGEST_TEXT = 300

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Entry:
    """step : ``asked`` before anything is done, then ``done`` or ``refused``; ``ignored`` where nothing is answered

    words : why, where there is a why
    request : what was asked, where it could be read
    """

    step: str
    command: str
    transaction: str = ""
    words: str = ""
    request: object = None


class AuditTrail:
    """Appends lines of JSON, each sealed with the SHA-256 of itself and the line before. What is written is on disk.

    ``sha256`` is that of the line without it: ``{"n": 7, ..., "before": "<sha256 of line 6>"}``.
    """

    def __init__(self, file: Path, clock: Clock, *, limit_bytes: int = LIMIT_BYTES) -> None:
        self._file = file
        self._clock = clock
        self._limit_bytes = limit_bytes
        self._before = BEGINNING
        self._number = 0
        self._bytes = 0

    def open(self) -> None:
        """Find where the last run stopped. Raises OSError when the file can't be written."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        for file in (self._older, self._file):
            for line in _lines(file):
                seal = _seal(line)
                if seal is not None:
                    self._number, self._before = _number(line), seal
        with self._file.open("ab") as stream:
            self._bytes = stream.tell()
            if self._bytes and not _ends_whole(self._file):  # the power went while it was written
                stream.write(b"\n")
                self._bytes += 1

    def write(self, entry: Entry) -> None:
        """Raises OSError."""
        body = _encode(
            {
                "n": self._number + 1,
                "at": self._clock.utc_now().isoformat(timespec="milliseconds"),
                "synced": self._clock.is_synced(),
                "boot": self._clock.boot_id(),
                "monotonic_ms": self._clock.monotonic_ns() // 1_000_000,
                "step": entry.step,
                "command": entry.command,
                "transaction": entry.transaction,
                "words": entry.words[:_LONGEST_TEXT],
                "request": entry.request,
                "before": self._before,
            }
        )
        seal = hashlib.sha256(body).hexdigest()
        line = body[:-1] + f',"sha256":"{seal}"}}\n'.encode()
        if self._bytes and self._bytes + len(line) > self._limit_bytes:
            self._turn_over()
        self._append(line)
        self._number, self._before = self._number + 1, seal

    def _append(self, line: bytes) -> None:
        is_new = not self._file.exists()
        with self._file.open("ab") as stream:
            stream.write(line)
            stream.flush()
            os.fsync(stream.fileno())
        if is_new:
            sync_folder(self._file.parent)
        self._bytes += len(line)

    def _turn_over(self) -> None:
        self._file.replace(self._older)
        self._bytes = 0

    @property
    def _older(self) -> Path:
        return self._file.with_name(f"{self._file.name}.1")


def broken_links(lines: Iterable[bytes]) -> list[int]:
    """The lines, from 1 on, that are not what was written, or do not follow the line before; the first follows any."""
    broken, before = [], None
    for number, line in enumerate(lines, start=1):
        seal = _seal(line)
        follows = before is None or f'"before":"{before}"'.encode() in line
        if seal is None or not follows:
            broken.append(number)
        before = seal if seal is not None else before
    return broken


def _seal(line: bytes) -> str | None:
    """The seal of a line that is what was written; else None."""
    found = _SEAL.search(line)
    if found is None:
        return None
    seal = found[1].decode()
    return seal if hashlib.sha256(line[: found.start()] + b"}").hexdigest() == seal else None


def _number(line: bytes) -> int:
    return int(msgspec.json.decode(line)["n"])


def _lines(file: Path) -> list[bytes]:
    try:
        return file.read_bytes().splitlines()
    except FileNotFoundError:
        return []


def _ends_whole(file: Path) -> bool:
    return file.read_bytes().endswith(b"\n")

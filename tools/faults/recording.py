"""What a disk may hold after the power went: any mixture of the writes that no fsync had finished.

The model: an fsync of a file makes all its earlier writes durable, and all earlier changes of names (as a journalling
file system does). Of later writes each may be there, be missing, or be there in some of its 512-byte sectors; of later
changes of names the first few are there. What has no write before it reads as zeros.
"""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

SECTOR = 512
_HEAD = struct.Struct("=cQQII")
SOURCE = Path(__file__).with_name("recorder.c")


@dataclass(frozen=True, slots=True)
class Step:
    """One successful call; see ``recorder.c``. For a rename, ``data`` is the new name."""

    kind: str
    inode: int
    offset: int
    name: str
    data: bytes


@dataclass(slots=True)
class File:
    durable: bytearray = field(default_factory=bytearray)
    pending: list[Step] = field(default_factory=list)


def build(folder: Path) -> Path:
    """Compile the recorder."""
    library = folder / "recorder.so"
    subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"], check=True)
    return library


def read(log: Path) -> list[Step]:
    """All steps of a recording."""
    return list(_steps(log.read_bytes()))


def _steps(data: bytes) -> Iterator[Step]:
    at = 0
    while at < len(data):
        kind, inode, offset, name_size, data_size = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        name = data[at : at + name_size].decode()
        yield Step(kind.decode(), inode, offset, name, data[at + name_size : at + name_size + data_size])
        at += name_size + data_size


class Disk:
    """The state of the folder while a recording is played."""

    def __init__(self) -> None:
        self._files: dict[int, File] = {}
        self._names: dict[str, int] = {}
        self._durable_names: dict[str, int] = {}
        self._name_changes: list[dict[str, int]] = []

    def play(self, step: Step) -> None:
        if step.kind == "u":
            self._names.pop(step.name, None)
            self._name_changes.append(dict(self._names))
        elif step.kind == "r":
            if step.name in self._names:
                self._names[step.data.decode()] = self._names.pop(step.name)
                self._name_changes.append(dict(self._names))
        elif step.kind == "s":
            self._sync(step.inode)
        else:
            self._bind(step)
            self._files[step.inode].pending.append(step)

    def cut(self, random: Random) -> dict[str, bytes]:
        """One possible content of the folder, by name, if the power goes now."""
        names = random.choice([self._durable_names, *self._name_changes])
        keep = random.choice((1.0, 0.0, 0.5, 0.9))
        return {name: bytes(_some(self._files[inode], keep, random)) for name, inode in names.items()}

    def _bind(self, step: Step) -> None:
        """A name that is new, or now means another file (a freed inode may come back as a new file)."""
        if self._names.get(step.name) != step.inode:
            if step.inode not in self._names.values():
                self._files[step.inode] = File()
            self._names[step.name] = step.inode
            self._name_changes.append(dict(self._names))

    def _sync(self, inode: int) -> None:
        file = self._files.get(inode)
        if file is not None:  # else the folder itself
            for step in file.pending:
                _apply(file.durable, step, step.data)
            file.pending.clear()
        self._durable_names = dict(self._names)
        self._name_changes.clear()


def _some(file: File, keep: float, random: Random) -> bytearray:
    content = bytearray(file.durable)
    for step in file.pending:
        if random.random() >= keep:
            continue
        if step.kind == "w" and random.random() < 0.2:
            for start in range(0, len(step.data), SECTOR):
                if random.random() < 0.5:
                    part = step.data[start : start + SECTOR]
                    _apply(content, Step("w", 0, step.offset + start, "", part), part)
        else:
            _apply(content, step, step.data)
    return content


def _apply(content: bytearray, step: Step, data: bytes) -> None:
    if step.kind == "t":
        del content[step.offset :]
        content.extend(bytes(step.offset - len(content)))
        return
    if len(content) < step.offset:
        content.extend(bytes(step.offset - len(content)))
    content[step.offset : step.offset + len(data)] = data

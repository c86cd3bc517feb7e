"""Reads rows out of a damaged SQLite file without SQLite: page by page, wherever a row can still be made out.

A b-tree reader loses everything behind one bad page. Here each page stands for itself, so a damaged one costs only
its own rows; what is read wrongly does not match its checksum. Pages of the write-ahead log are read after those of
the file, so later versions of a row come later. Freed pages may still hold rows: the caller gets those too.
Source: "Database File Format", sqlite.org/fileformat2.html, sections 1.5, 1.6, 2.1 and 4.1.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from edge.report.outbox.schema import PAGE_BYTES

Record = tuple[int, tuple[Any, ...]]  # row number, values as stored

_TABLE_LEAF = 0x0D
_OTHER_PAGES = (0x02, 0x05, 0x0A)  # index interior, table interior, index leaf
_MOST_CELLS = 256  # in a leaf of ours; the shortest row has some 20 bytes
_LOG_HEADER = 32
_FRAME_HEADER = 24
_FRAME = _FRAME_HEADER + PAGE_BYTES
_INT_BYTES = (0, 1, 2, 3, 4, 6, 8)  # of the serial types 0 to 6
_LARGEST = 1 << 20  # no row of ours is longer; a damaged length must not make us read for hours


def carve(database: Path, log: Path) -> Iterator[Record]:
    """Every row of every table that can be made out; either file may be missing or end anywhere."""
    with _Images(database, log) as images:
        for page in images.all():
            yield from _rows(page, images)


def frames_beyond(log: Path, readable: int) -> bool:
    """Whether the log goes on after the frames that SQLite could read.

    SQLite ends a log at the first frame that does not match its checksum, silently: that is how an interrupted
    commit is undone, and also how committed ones vanish behind a flipped bit. Frames of earlier rounds of the same
    file do not count; one half of the salt is enough to know a frame of this round, for the other may be damaged.
    """
    file = _opened(log)
    if file is None:
        return False
    with file:
        salt = _read(file, 16, 8)
        first = _read(file, _LOG_HEADER, _FRAME_HEADER)
        if not readable and first.strip(b"\0"):
            return True  # its header is damaged, and nothing could be read at all
        offset = _LOG_HEADER + readable * _FRAME
        while header := _read(file, offset, _FRAME_HEADER):
            if header[8:12] == salt[:4] or header[12:16] == salt[4:]:
                return True
            offset += _FRAME
    return False


class _Images:
    """The pages of the file, then those of the log; and the latest version of one page."""

    def __init__(self, database: Path, log: Path) -> None:
        self._database = _opened(database)
        self._log = _opened(log)
        self._in_log: dict[int, int] = {}

    def __enter__(self) -> _Images:
        return self

    def __exit__(self, *_: object) -> None:
        for file in (self._database, self._log):
            if file is not None:
                file.close()

    def all(self) -> Iterator[bytes]:
        self._index_log()
        number = 2  # page 1 holds the schema, which is known
        while page := _read(self._database, (number - 1) * PAGE_BYTES, PAGE_BYTES):
            yield page
            number += 1
        offset = _LOG_HEADER
        while frame := _read(self._log, offset, _FRAME):
            yield frame[_FRAME_HEADER:]
            offset += _FRAME

    def latest(self, number: int) -> bytes:
        if number in self._in_log:
            return _read(self._log, self._in_log[number] + _FRAME_HEADER, PAGE_BYTES)
        return _read(self._database, (number - 1) * PAGE_BYTES, PAGE_BYTES) if number > 0 else b""

    def _index_log(self) -> None:
        salt = _read(self._log, 16, 8)
        offset = _LOG_HEADER
        while header := _read(self._log, offset, _FRAME_HEADER):
            if header[8:16] == salt:  # else a frame of an earlier round, which was copied to the file
                self._in_log[struct.unpack(">I", header[:4])[0]] = offset
            offset += _FRAME


def _opened(path: Path) -> BinaryIO | None:
    return path.open("rb") if path.is_file() else None


def _read(file: BinaryIO | None, offset: int, size: int) -> bytes:
    """All of it or nothing: a torn end holds no row of its own."""
    if file is None:
        return b""
    file.seek(offset)
    found = file.read(size)
    return found if len(found) == size else b""


def _rows(page: bytes, images: _Images) -> Iterator[Record]:
    cells = struct.unpack_from(">H", page, 3)[0]
    # a leaf whose type byte is damaged is tried as well: its rows have checksums
    if page[0] != _TABLE_LEAF and (page[0] in _OTHER_PAGES or cells > _MOST_CELLS):
        return
    for index in range(min(cells, _MOST_CELLS)):
        try:
            yield _cell(page, struct.unpack_from(">H", page, 8 + 2 * index)[0], images)
        except (IndexError, ValueError, struct.error):
            continue


def _cell(page: bytes, offset: int, images: _Images) -> Record:
    size, offset = _varint(page, offset)
    number, offset = _varint(page, offset)
    if size > _LARGEST:
        raise ValueError("longer than any row of ours")
    return number, _values(_payload(page, offset, size, images))


def _payload(page: bytes, offset: int, size: int, images: _Images) -> bytes:
    """The row's bytes, with those that lie on overflow pages."""
    most = PAGE_BYTES - 35
    if size <= most:
        return page[offset : offset + size]
    least = (PAGE_BYTES - 12) * 32 // 255 - 23
    local = least + (size - least) % (PAGE_BYTES - 4)
    local = local if local <= most else least
    parts = [page[offset : offset + local]]
    following = struct.unpack_from(">I", page, offset + local)[0]
    missing = size - local
    while missing > 0:
        overflow = images.latest(following)
        following = struct.unpack_from(">I", overflow, 0)[0]
        parts.append(overflow[4 : 4 + missing])
        missing -= PAGE_BYTES - 4
    return b"".join(parts)


def _values(record: bytes) -> tuple[Any, ...]:
    header_size, offset = _varint(record, 0)
    kinds = []
    while offset < header_size:
        kind, offset = _varint(record, offset)
        kinds.append(kind)
    values = []
    for kind in kinds:
        value, offset = _value(record, offset, kind)
        values.append(value)
    return tuple(values)


def _value(record: bytes, offset: int, kind: int) -> tuple[Any, int]:
    if kind == 0:
        return None, offset
    if kind < len(_INT_BYTES):
        end = offset + _INT_BYTES[kind]
        return int.from_bytes(_exactly(record, offset, end), "big", signed=True), end
    if kind in (8, 9):
        return kind - 8, offset
    if kind < 12:
        raise ValueError("a real number, or a type that no row of ours has")
    end = offset + (kind - 12) // 2
    found = _exactly(record, offset, end)
    return (found.decode() if kind % 2 else found), end


def _exactly(record: bytes, offset: int, end: int) -> bytes:
    if end > len(record):
        raise ValueError("the row ends before its last value")
    return record[offset:end]


def _varint(data: bytes, offset: int) -> tuple[int, int]:
    """SQLite's variable-length integer: 7 bits a byte, high bit = more; the ninth byte counts whole."""
    value = 0
    for index in range(8):
        byte = data[offset + index]
        value = (value << 7) | (byte & 0x7F)
        if byte < 0x80:
            return value, offset + index + 1
    return (value << 8) | data[offset + 8], offset + 9

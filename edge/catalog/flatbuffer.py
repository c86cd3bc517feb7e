"""A small, strict reader of FlatBuffers: every offset is checked before it is followed.

Model files come from strangers; no native code sees one before this reader has walked it.
Source: FlatBuffers internals (tables, vtables, vectors, strings; all little-endian, offsets relative).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from edge.core.errors import ModelError

# A vector longer than this in a graph's *structure* (not in its weights) is damage or an attack.
MAX_ITEMS = 1_000_000


class FlatbufferError(ModelError):
    """An offset or a length that leads out of the file, or numbers that contradict each other."""

    def __init__(self, detail: str) -> None:
        super().__init__(f"damaged: {detail}; the file was cut off or changed: copy or download it again")


def _unpack(form: str, data: memoryview, position: int) -> int | float:
    size = struct.calcsize(form)
    if position < 0 or position + size > len(data):
        raise FlatbufferError(f"an offset leads to byte {position} of {len(data)}")
    value: int | float = struct.unpack_from(form, data, position)[0]
    return value


def _uint32(data: memoryview, position: int) -> int:
    return int(_unpack("<I", data, position))


def root_table(data: memoryview) -> Table:
    """The table that the file's first four bytes point at."""
    return Table(data, _uint32(data, 0))


@dataclass(frozen=True, slots=True)
class Table:
    """One table: fields by number, each with a default where it is absent."""

    data: memoryview
    position: int

    def _field(self, number: int) -> int:
        """Where field ``number`` lies; 0 where it is absent."""
        vtable = self.position - int(_unpack("<i", self.data, self.position))
        length = int(_unpack("<H", self.data, vtable))
        slot = 4 + 2 * number
        if slot + 2 > length:
            return 0
        offset = int(_unpack("<H", self.data, vtable + slot))
        return self.position + offset if offset else 0

    def number(self, field: int, form: str, default: int = 0) -> int:
        """A whole number; ``form`` is a struct letter (b, B, h, i, I, q, Q, ?)."""
        position = self._field(field)
        return int(_unpack(f"<{form}", self.data, position)) if position else default

    def table(self, field: int) -> Table | None:
        position = self._field(field)
        return Table(self.data, position + _uint32(self.data, position)) if position else None

    def text(self, field: int) -> str:
        """A string, "" where it is absent; bytes that are not UTF-8 are replaced."""
        return bytes(self.raw(field)).decode("utf-8", errors="replace")

    def raw(self, field: int) -> memoryview:
        """A vector of bytes, as a view (no copy)."""
        start, length = self._vector(field, item=1, limit=len(self.data))
        return self.data[start : start + length]

    def has(self, field: int) -> bool:
        return self._field(field) != 0

    def numbers(self, field: int, form: str, *, limit: int = MAX_ITEMS) -> tuple[int, ...]:
        """A vector of whole numbers."""
        return tuple(int(value) for value in self._values(field, form, limit))

    def reals(self, field: int, *, limit: int = MAX_ITEMS) -> tuple[float, ...]:
        """A vector of 32-bit floats."""
        return self._values(field, "f", limit)

    def vector(self, field: int, *, item: int, limit: int = MAX_ITEMS) -> tuple[int, int]:
        """Where the first item of a vector lies, and how many there are; its length stands 4 bytes before."""
        return self._vector(field, item=item, limit=limit)

    def tables(self, field: int, *, limit: int = MAX_ITEMS) -> list[Table]:
        start, length = self._vector(field, item=4, limit=limit)
        positions = range(start, start + 4 * length, 4)
        return [Table(self.data, at + _uint32(self.data, at)) for at in positions]

    def _values(self, field: int, form: str, limit: int) -> tuple[float, ...]:
        start, length = self._vector(field, item=struct.calcsize(f"<{form}"), limit=limit)
        return struct.unpack_from(f"<{length}{form}", self.data, start)

    def _vector(self, field: int, *, item: int, limit: int) -> tuple[int, int]:
        """Start and number of items; checked to lie inside the file."""
        position = self._field(field)
        if not position:
            return 0, 0
        start = position + _uint32(self.data, position)
        length = _uint32(self.data, start)
        if length > limit or start + 4 + length * item > len(self.data):
            raise FlatbufferError(f"a list of {length} items at byte {start} of {len(self.data)}")
        return start + 4, length

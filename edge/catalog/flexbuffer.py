"""Reads a FlexBuffers map of plain numbers: how converters write a custom operator's options.

Source: FlexBuffers format description. Only what such options use: a map at the root, numbers and booleans as
values; other values are left out.
"""

from __future__ import annotations

import struct

from edge.core.errors import ModelError

_INT, _UINT, _FLOAT, _MAP, _BOOL = 1, 2, 3, 9, 26
_SIGNED = {1: "<b", 2: "<h", 4: "<i", 8: "<q"}
_UNSIGNED = {1: "<B", 2: "<H", 4: "<I", 8: "<Q"}
_FLOATS = {4: "<f", 8: "<d"}
_MAX_ENTRIES = 1000


def read_options(data: bytes) -> dict[str, float]:
    """The numbers of the map at the root, by key.

    Raises
    ------
    ModelError
        If the bytes are not such a map.
    """
    try:
        return _read_map(data)
    except (struct.error, IndexError, KeyError, UnicodeDecodeError) as error:
        raise ModelError(f"a custom operator's options cannot be read: {error!r}") from error


def _read_map(data: bytes) -> dict[str, float]:
    root_width, packed = data[-1], data[-2]
    if packed >> 2 != _MAP:
        raise ModelError(f"a custom operator's options are not a map (type {packed >> 2})")
    width = 1 << (packed & 3)
    root = len(data) - 2 - root_width
    start = root - _at(data, _UNSIGNED[root_width], root)
    size = _at(data, _UNSIGNED[width], start - width)
    if not 0 <= size <= _MAX_ENTRIES:
        raise ModelError(f"a custom operator's options have {size} entries")
    keys_width = _at(data, _UNSIGNED[width], start - 2 * width)
    keys = start - 3 * width - _at(data, _UNSIGNED[width], start - 3 * width)
    found = {}
    for index in range(size):
        key_at = keys + index * keys_width
        name = _text(data, key_at - _at(data, _UNSIGNED[keys_width], key_at))
        value = _number(data, start + index * width, width, data[start + size * width + index])
        if value is not None:
            found[name] = value
    return found


def _number(data: bytes, position: int, width: int, packed: int) -> float | None:
    forms = {_INT: _SIGNED, _UINT: _UNSIGNED, _BOOL: _UNSIGNED, _FLOAT: _FLOATS}.get(packed >> 2)
    if forms is None:
        return None
    return _real(data, forms[width], position)


def _at(data: bytes, form: str, position: int) -> int:
    return int(_real(data, form, position))


def _real(data: bytes, form: str, position: int) -> float:
    if position < 0:  # struct would count from the end
        raise IndexError(position)
    value: float = struct.unpack_from(form, data, position)[0]
    return value


def _text(data: bytes, position: int) -> str:
    if position < 0:
        raise IndexError(position)
    return data[position : data.index(0, position)].decode()

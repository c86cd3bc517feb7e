"""Small files that outlive a restart: written in one step, read with a bound."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeVar

import msgspec

LARGEST_BYTES = 1 << 20
_Kept = TypeVar("_Kept")


def read_kept(file: Path, kind: type[_Kept], *, largest_bytes: int = LARGEST_BYTES) -> _Kept | None:
    """What the file holds; None when there is none.

    Raises
    ------
    ValueError
        If it holds something else than ``kind`` says.
    OSError
        If it can't be read.
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(largest_bytes + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if len(content) > largest_bytes:
        raise ValueError(f"expected at most {largest_bytes} bytes")
    try:
        return msgspec.json.decode(content, type=kind)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def write_kept(file: Path, value: object) -> None:
    """Replace the file in one step: a power cut leaves the old content or the new one. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f"{file.name}.new")
    with fresh.open("wb") as stream:
        stream.write(msgspec.json.format(msgspec.json.encode(value)) + b"\n")
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(file)
    sync_folder(file.parent)


def sync_folder(folder: Path) -> None:
    """Make a new name in a folder outlive a power cut. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

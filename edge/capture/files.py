"""What is wrong with a path, before anything is read from it."""

from __future__ import annotations

import os
from pathlib import Path

from edge.core.errors import RecordingError


def checked_file(path: Path, expected: str) -> int:
    """The size in bytes of a file that is there, is a file, is not empty and may be read; else RecordingError.

    expected : what it should have been, as in "a video file"
    """
    try:
        if not path.exists():
            raise RecordingError(f"{path}: expected {expected}, found nothing there; check the path")
        if not path.is_file():
            found = "a folder" if path.is_dir() else "something that is not a plain file"
            raise RecordingError(f"{path}: expected {expected}, found {found}")
        size = path.stat().st_size
    except OSError as error:
        raise RecordingError(f"{path}: expected {expected}, can't look at it: {error.strerror}") from error
    if size == 0:
        raise RecordingError(f"{path}: expected {expected}, found an empty file (0 bytes); copy it again")
    if not os.access(path, os.R_OK):
        raise RecordingError(f"{path}: expected {expected}, but this user may not read it; change its permissions")
    return size

"""Paths as text that can be printed and stands in JSON, whatever bytes a file's name has."""

from __future__ import annotations

import os
from pathlib import Path


def path_text(path: Path) -> str:
    """The path; bytes that are not UTF-8 as ``\\xNN``.

    Python carries such bytes as lone surrogates, which neither JSON nor a terminal takes.
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")

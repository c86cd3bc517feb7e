"""The ~ in a path a person wrote."""

from __future__ import annotations

import os.path
from pathlib import Path


def expand_home(text: str | Path) -> Path:
    """The path with a leading ~ or ~name replaced; one that can't be resolved stays as it is (pathlib's raises)."""
    return Path(os.path.expanduser(text))  # noqa: PTH111

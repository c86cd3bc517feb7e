"""Whether something is there, asked so that no answer of the system becomes a crash."""

from __future__ import annotations

from pathlib import Path


def why_missing(path: Path) -> str | None:
    """None when something is there; else why not, in words: "nothing there", "permission denied" and the like.

    Needed because pathlib raises instead, when a folder on the way is closed or a name is longer than a disk takes.
    """
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return "nothing there"
    except OSError as error:
        return (error.strerror or type(error).__name__).lower()
    except ValueError:  # a NUL in the name
        return "no possible name"
    return None


def is_file(path: Path) -> bool:
    """Whether a file is there that can at least be seen."""
    return why_missing(path) is None and path.is_file()


def is_folder(path: Path) -> bool:
    """Whether a folder is there that can at least be seen."""
    return why_missing(path) is None and path.is_dir()

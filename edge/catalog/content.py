"""A model file's content, with a bound: what every look at it begins with."""

from __future__ import annotations

from pathlib import Path

from edge.core.errors import ModelAwayError, ModelError
from edge.core.looking import is_passing

# The largest detectors in use are below 200 MiB; a Raspberry Pi has no room for much more.
MAX_BYTES = 512 * 1024 * 1024


def read_bytes(path: Path, *, limit: int = MAX_BYTES) -> bytes:
    """A model file's content.

    Raises
    ------
    ModelError
        If the file is missing, unreadable, not a file, larger than ``limit``, or named in bytes that are no text.
    ModelAwayError
        If the disk does not give it just now.
    """
    try:
        if not path.is_file():
            found = "a folder" if path.is_dir() else "something that is not a file" if path.exists() else "nothing"
            raise ModelError(f"expected a .tflite file, found {found}")
        size = path.stat().st_size
        if size > limit:
            raise ModelError(f"the file has {size} bytes, more than the {limit} that are allowed; is it a model?")
        content = path.read_bytes()
        str(path).encode()
    except UnicodeEncodeError as error:
        raise ModelError("the file's path is not UTF-8 text, which the runtime cannot open; rename it") from error
    except OSError as error:
        raise unread("the file cannot be read", error) from error
    return content


def unread(words: str, error: OSError) -> ModelError:
    """What to raise when a file of a model can't be read; ``words`` say which."""
    kind = ModelAwayError if is_passing(error) else ModelError
    return kind(f"{words}: {error.strerror or error}")

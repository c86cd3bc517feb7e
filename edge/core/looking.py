"""Whether something is there, asked so that no answer of the system becomes a crash."""

from __future__ import annotations

import errno
from pathlib import Path

# What has nothing to do with the name or the rights: the disk, its cable, the network it lies in, or want of memory or
# descriptors. All else that the system says of a file is for a person to mend.
_PASSING = frozenset(
    {
        errno.EAGAIN,
        errno.EBUSY,
        errno.EDQUOT,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.EINTR,
        errno.EIO,
        errno.EMFILE,
        errno.ENETDOWN,
        errno.ENETUNREACH,
        errno.ENFILE,
        errno.ENOBUFS,
        errno.ENODEV,
        errno.ENOMEM,
        errno.ENOSPC,
        errno.ENOTCONN,
        errno.ENXIO,
        errno.EREMOTEIO,
        errno.ESTALE,
        errno.ETIMEDOUT,
    }
)


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


def is_passing(error: OSError) -> bool:
    """Whether the same may work later without a person doing anything."""
    return error.errno in _PASSING

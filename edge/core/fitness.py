"""Whether edge can run on this system at all. Old Pythons read this too: nothing is newer than Python 3.7."""

from __future__ import annotations

import platform
import sys

_EXIT_CODE = 78  # as edge.core.errors.MissingLibraryError, which an old Python may not be able to read
_WAY_OUT = "on a Raspberry Pi, flash the 64-bit Raspberry Pi OS (12 or 13)"


def why_unfit(version: tuple[int, int], bits: int) -> str | None:
    """What is wrong with a system, and the way out; None when edge can run.

    version : of Python, such as (3, 11)
    bits : of a pointer in this process; a 64-bit kernel may carry a 32-bit system
    """
    found = f"{version[0]}.{version[1]}"
    if bits < 64:
        return f"expected a 64-bit system, found a {bits}-bit one ({platform.machine()}); {_WAY_OUT}"
    if version < (3, 11):
        return f"expected Python 3.11 to 3.13, found {found}; {_WAY_OUT}"
    return None


def refuse_unfit_system() -> None:
    """End with exit code 78 and one line where edge can't run."""
    reason = why_unfit((sys.version_info[0], sys.version_info[1]), 64 if sys.maxsize > 2**32 else 32)
    if reason is not None:
        sys.stderr.write(f"edge: {reason}\n")
        sys.exit(_EXIT_CODE)

"""What this process has allocated, by Python's own count and malloc's."""

from __future__ import annotations

import ctypes
import gc
import sys


class _Mallinfo(ctypes.Structure):
    """mallinfo2(3), glibc 2.33 and later."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost",
        )
    ]  # fmt: skip


def allocated() -> dict[str, int]:
    """Blocks of Python, and bytes of malloc; what is garbage already is no leak, so it goes first."""
    gc.collect()
    mallinfo2 = ctypes.CDLL("libc.so.6").mallinfo2
    mallinfo2.restype = _Mallinfo
    malloc = mallinfo2()
    return {"blocks": sys.getallocatedblocks(), "malloc_bytes": malloc.uordblks + malloc.hblkhd}

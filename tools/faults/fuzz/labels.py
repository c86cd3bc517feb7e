"""A label file: labels, or a refusal."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from tempfile import mkstemp

from tools.faults.fuzz.target import Target

_SEEDS = [
    b"person\ncar\n\ndog\n",
    b"0  person\n1  bicycle\n7: truck\n",
    b"\xef\xbb\xbf1,one\r\n2,two\r\n",
    b"background\nperson\n???\n",
    "voil\u00e0\n\u732b\n".encode(),
]
_WORDS = [b"\n", b"\r", b"\x0b", b"\x1c", b"\xe2\x80\xa8", b"99999 x\n", b"0 ", b": ", b"???", b"\0", b" ", b"\t"]


def _open() -> Callable[[bytes], None]:
    from edge.catalog.labels import fit_labels, read_labels
    from edge.core.errors import ModelError

    handle, name = mkstemp(dir="/dev/shm")
    path = Path(name)
    path.unlink()
    path = Path(f"/proc/self/fd/{handle}")

    def one(content: bytes) -> None:
        os.ftruncate(handle, 0)
        os.pwrite(handle, content, 0)
        try:
            labels = read_labels(path)
            assert labels and all(isinstance(label, str) for label in labels)
            fit_labels(labels, 3, origin="the file")
        except ModelError:
            return

    return one


LABELS = Target("labels", lambda: _SEEDS, _open, _WORDS)

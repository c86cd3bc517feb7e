"""An accelerator of the tests' own: a real delegate library (``accelerator.c``) that can be lost, hang and come back.

It is loaded by the production path as it stands: its file is called as libedgetpu's is, and the loader's own
``LD_LIBRARY_PATH`` leads a service of the tests to it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

_SOURCE = Path(__file__).with_name("accelerator.c")
_NAME = "libedgetpu.so.1"
_COMPILERS = ("cc", "gcc", "clang")


def compile_library(source: Path, target: Path) -> Path:
    """Build a shared library with the system's compiler."""
    compiler = next(filter(None, map(shutil.which, _COMPILERS)), None)
    assert compiler, "these tests build a small C library: install a C compiler (apt-get install gcc libc6-dev)"
    subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", target, source], check=True)
    return target


def build_library(folder: Path) -> Path:
    """The stand-in for libedgetpu, under its name."""
    return compile_library(_SOURCE, folder / _NAME)


class FakeAccelerator:
    """The device as a test sees it: what it does is a word in a file."""

    def __init__(self, library: Path, control: Path) -> None:
        self._library = library
        self._control = control

    def be(self, word: str) -> None:
        """From the next call on; see ``accelerator.c`` for the words."""
        fresh = self._control.with_suffix(".new")
        fresh.write_text(word)
        fresh.replace(self._control)

    def environment(self) -> Mapping[str, str]:
        """For a process that is to find this device."""
        before = os.environ.get("LD_LIBRARY_PATH", "")
        path = os.pathsep.join(filter(None, [str(self._library.parent), before]))
        return {"LD_LIBRARY_PATH": path, "FAKE_ACCELERATOR": str(self._control)}

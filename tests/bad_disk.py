"""A disk that goes bad and good again under a program: tools/faults/bad_disk.c, preloaded."""

from __future__ import annotations

import subprocess
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]


class BadDisk:
    """Every file below ``root`` is on it, for programs that are started with its environment."""

    def __init__(self, folder: Path, root: Path) -> None:
        library = folder / "bad_disk.so"
        source = CHECKOUT / "tools" / "faults" / "bad_disk.c"
        subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
        self._switch = folder / "switch"
        self.environment = {
            "LD_PRELOAD": str(library),
            "BAD_DISK_ROOT": str(root),
            "BAD_DISK_SWITCH": str(self._switch),
        }

    def go_bad(self, fault: str) -> None:
        """``fault`` as the library wants it: "28 w" is a full disk."""
        self._switch.write_text(fault)

    def go_good(self) -> None:
        self._switch.unlink()

"""QEMU of Debian 13, unpacked into a folder: version 7 of Debian 12 computes int8 models wrongly."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

_BINFMT = Path("/proc/sys/fs/binfmt_misc")
_NAME = "qemu-aarch64"  # mmdebstrap looks for this name
# ELF, 64 bits, little-endian, a program or a shared object for machine 183 (AArch64); binfmt_misc of Linux.
_MAGIC = r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
_MASK = r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"
_SYSTEM_LIBRARIES = "usr/lib/x86_64-linux-gnu"


def register(roots: Path) -> None:
    """Let this kernel run arm64 programs, unless it does already: by itself, or by an emulator that is registered."""
    if platform.machine() == "aarch64":
        return
    if not (_BINFMT / "register").exists():
        subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", str(_BINFMT)], check=True)
    if (_BINFMT / _NAME).exists():
        return
    program = _unpacked(roots, "qemu-user") / "usr/bin/qemu-aarch64"
    # F: the program is opened now, so that it is there inside other systems too
    (_BINFMT / "register").write_text(f":{_NAME}:M::{_MAGIC}:{_MASK}:{program}:F", encoding="ascii")


def system_emulator(roots: Path) -> list[str]:
    """The command that starts Debian 13's qemu-system-aarch64, with its own loader and libraries."""
    if platform.machine() != "x86_64":
        return ["qemu-system-aarch64"]
    root = _unpacked(roots, "qemu-system-arm")
    # its own modules; those of an older QEMU on this machine do not fit
    modules = ["env", f"QEMU_MODULE_DIR={root / _SYSTEM_LIBRARIES / 'qemu'}"]
    loader = [*modules, str(root / "usr/lib64/ld-linux-x86-64.so.2"), "--library-path", str(root / _SYSTEM_LIBRARIES)]
    return [*loader, str(root / "usr/bin/qemu-system-aarch64"), "-L", str(root / "usr/share/qemu")]


def _unpacked(roots: Path, package: str) -> Path:
    folder = roots.resolve() / f"trixie-{package}"
    if not (folder / "usr/bin").is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        command = ["mmdebstrap", "--quiet", "--variant=extract", f"--include={package}", "trixie", str(folder)]
        subprocess.run(command, check=True)
    return folder

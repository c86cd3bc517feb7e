"""File systems in files, filled from folders: no mount, no loop device, no kernel that knows them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tools.imaging.layout import BOOT_LABEL, DATA_LABEL, DISK_ID, MIB, ROOT_LABEL

_UUIDS = {  # the same for every build: nothing but the label is used
    ROOT_LABEL: "65646765-726f-4f74-8000-000000000001",
    DATA_LABEL: "65646765-6461-4461-8000-000000000002",
}
# The data partition is made small and grows with the card: its tables are laid out for 128 GiB of 4-KiB blocks.
_GROWS_TO_BLOCKS = 128 * 1024 * MIB // 4096


def make_boot(file: Path, folder: Path, size_mib: int, moment_s: int) -> None:
    """FAT32 with the content of a folder."""
    _make_empty(file, size_mib)
    _run(["mkfs.vfat", "-F", "32", "-n", BOOT_LABEL, "-i", f"{DISK_ID:08x}", "--invariant", str(file)], moment_s)
    _set_times(folder, moment_s)
    put_on_boot(file, 0, folder, moment_s)


def put_on_boot(file: Path, offset: int, folder: Path, moment_s: int | None = None) -> None:
    """The content of a folder onto a FAT file system that begins at a byte of a file; what is there is replaced."""
    names = sorted(str(path) for path in folder.iterdir())
    _run(["mcopy", "-s", "-p", "-m", "-o", "-i", f"{file}@@{offset}", *names, "::/"], moment_s)


def read_from_boot(file: Path, offset: int, name: str, folder: Path) -> Path:
    """Copies a file of a FAT file system that begins at a byte of ``file`` into a folder."""
    _run(["mcopy", "-n", "-o", "-i", f"{file}@@{offset}", f"::/{name}", str(folder)])
    return folder / name


def make_root(file: Path, folder: Path, size_mib: int, moment_s: int) -> None:
    """ext4 with the content of a folder, owners and rights included (as root)."""
    _make_ext4(file, size_mib, ROOT_LABEL, moment_s, ["-d", str(folder)])


def make_data(file: Path, size_mib: int, moment_s: int) -> None:
    """An empty ext4 that can grow to the end of a large card."""
    _make_ext4(file, size_mib, DATA_LABEL, moment_s, [], f",resize={_GROWS_TO_BLOCKS}")


def join(file: Path, parts: Sequence[tuple[Path, int]], total_mib: int) -> None:
    """One file of parts at their places (MiB); what is empty takes no room on this disk."""
    _make_empty(file, total_mib)
    for part, start_mib in parts:
        # dd skips what is zero, and leaves what is around it
        _run(["dd", f"if={part}", f"of={file}", "bs=1M", f"seek={start_mib}", "conv=notrunc,sparse", "status=none"])


def write_table(file: Path, script: str) -> None:
    """The partition table, as sfdisk reads it."""
    command = [shutil.which("sfdisk", path=_PATH) or "sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", str(file)]
    subprocess.run(command, check=True, input=script, text=True, stdout=subprocess.DEVNULL)


def _make_ext4(file: Path, size_mib: int, label: str, moment_s: int, options: list[str], extended: str = "") -> None:
    _make_empty(file, size_mib)
    extended = f"hash_seed={_UUIDS[label]},lazy_itable_init=0,lazy_journal_init=0{extended}"
    command = ["mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-I", "256", "-m", "0", "-T", "default"]
    command += ["-L", label, "-U", _UUIDS[label], "-E", extended, *options, str(file)]
    _run(command, moment_s)


def _make_empty(file: Path, size_mib: int) -> None:
    file.unlink(missing_ok=True)
    with file.open("wb") as stream:
        stream.truncate(size_mib * MIB)


def _set_times(folder: Path, moment_s: int) -> None:
    for path in (folder, *folder.rglob("*")):
        os.utime(path, (moment_s, moment_s))


_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"  # mke2fs and sfdisk are not on everybody's path


def _run(command: list[str], moment_s: int | None = None) -> None:
    environment = os.environ | {"PATH": _PATH, "MTOOLS_SKIP_CHECK": "1"}
    if moment_s is not None:
        environment |= {"SOURCE_DATE_EPOCH": str(moment_s), "E2FSPROGS_FAKE_TIME": str(moment_s)}
    done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr.strip()}")

"""What the kernel knows of a process: its children, and what it holds; and how all of them are put to sleep."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

_MEMORY = "/dev/shm/"
_APART_S = 0.1  # longer than a turn of the scheduler: the order is kept


def freeze(pids: Sequence[int], seconds: float) -> None:
    """All of them stand still for so long, one after the other; who was the last to stop goes on first."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
        time.sleep(_APART_S)
    time.sleep(seconds)
    for pid in reversed(pids):
        os.kill(pid, signal.SIGCONT)
        time.sleep(_APART_S)


class Holding(NamedTuple):
    """anonymous_kb : memory that is its own, swapped out or not; pss_kb : all of it, what is shared in equal parts"""

    descriptors: int
    threads: int
    anonymous_kb: int
    pss_kb: int


def holding(pid: int) -> Holding:
    """Raises OSError when it is gone."""
    process = Path(f"/proc/{pid}")
    memory = _numbers(process / "smaps_rollup")
    return Holding(
        descriptors=len(list((process / "fd").iterdir())),
        threads=len(list((process / "task").iterdir())),
        anonymous_kb=memory["Anonymous:"] + memory["Swap:"],
        pss_kb=memory["Pss:"],
    )


def children(pid: int) -> dict[str, int]:
    """Those that edge started, by what each is: ``capture``, ``infer``, ``publisher``; a second is ``capture 2``."""
    found: dict[str, int] = {}
    for each in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in _words(each):
            module = module_of(int(child))
            if module:
                count = sum(name.partition(" ")[0] == module for name in found)
                found[f"{module} {count + 1}" if count else module] = int(child)
    return found


def module_of(pid: int) -> str:
    """The last part of the module that an edge child runs; empty for others, and for one that is just gone."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        name = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return ""
    module = words[4].decode() if len(words) > 4 else ""
    if module.startswith(("edge.", "tests.", "tools.")):
        return module.rpartition(".")[2].removeprefix("soaked_")
    return name.removeprefix("edge-") if name.startswith("edge-") else ""  # begun early, it has its parent's words


def parent_of(pid: int) -> int:
    """Raises OSError when it is gone."""
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])


def marked(mark: str) -> list[int]:
    """All processes, zombies left out, whose environment began with the mark ``NAME=value``."""
    return [int(each.name) for each in Path("/proc").glob("[0-9]*") if mark.encode() in _environment(each)]


def shared_files(pid: int) -> set[Path]:
    """Files in the machine's memory that it has open or mapped: memory with a name, which may outlive it."""
    try:
        links = [each.readlink() for each in Path(f"/proc/{pid}/fd").iterdir() if each.is_symlink()]
        maps = [Path(line.split(maxsplit=5)[5]) for line in _lines(pid) if _MEMORY in line]
    except OSError:
        return set()
    return {each for each in (*links, *maps) if str(each).startswith(_MEMORY)}


def _lines(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/maps").read_text(encoding="utf-8", errors="replace").splitlines()


def _environment(process: Path) -> list[bytes]:
    try:
        return (process / "environ").read_bytes().split(b"\0")
    except OSError:
        return []


def _words(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="ascii").split()
    except OSError:
        return []


def _numbers(file: Path) -> dict[str, int]:
    lines = (line.split() for line in file.read_text(encoding="ascii").splitlines())
    return {line[0]: int(line[1]) for line in lines if len(line) == 3}

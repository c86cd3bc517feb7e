"""Inputs chosen by what they make the code do, with atheris (pip install atheris); what they find is kept as corpus."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from tools.faults.fuzz.target import Target

_MOST_BYTES = 4096


def guide(target: Target, folder: Path, *, inputs: int, seed: int) -> int:
    """One run, then the smallest set of inputs with the same coverage goes into the folder."""
    with tempfile.TemporaryDirectory() as name:
        found, merged = Path(name) / "found", Path(name) / "merged"
        found.mkdir()
        merged.mkdir()
        for number, content in enumerate(target.seeds()):
            (found / f"seed-{number}").write_bytes(content)
        for each in folder.glob("*"):
            (found / each.name).write_bytes(each.read_bytes())
        code = _in_a_process(target, [f"-runs={inputs}", f"-seed={seed or 1}", str(found)], name)
        _in_a_process(target, ["-merge=1", str(merged), str(found)], name)
        folder.mkdir(parents=True, exist_ok=True)
        for each in sorted(merged.iterdir(), key=lambda file: file.stat().st_size):
            (folder / each.name[:16]).write_bytes(each.read_bytes())
    return code


def _in_a_process(target: Target, arguments: list[str], folder: str) -> int:
    """atheris ends the process it runs in."""
    pid = os.fork()
    if pid == 0:
        import atheris

        os.chdir(folder)
        with atheris.instrument_imports(include=["edge"]):
            one = target.open()
        settings = [sys.argv[0], f"-max_len={_MOST_BYTES}", "-timeout=30", "-rss_limit_mb=4096", *arguments]
        atheris.Setup(settings, one)
        atheris.Fuzz()
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

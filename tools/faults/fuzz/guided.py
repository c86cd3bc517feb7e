"""Inputs chosen by what they make the code do, with atheris (pip install atheris); the best become the corpus."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tools.faults.fuzz.corpus import corpus_file, corpus_of, write_corpus
from tools.faults.fuzz.target import Target

_MOST_BYTES = 4096
_KEPT, _KEPT_BYTES = 60, 600  # of each target; what is small says more


def guide(target: Target, *, inputs: int, seed: int) -> int:
    """One run; the smallest inputs that reached something new replace those of earlier runs."""
    with tempfile.TemporaryDirectory() as name:
        found = Path(name) / "found"
        found.mkdir()
        pid = os.fork()
        if pid == 0:
            _run(target, found, [f"-runs={inputs}", f"-seed={seed or 1}"])
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        contents = sorted({each.read_bytes() for each in found.iterdir()} - set(target.seeds()), key=len)
    write_corpus(corpus_file(target), [each for each in contents if len(each) <= _KEPT_BYTES][:_KEPT])
    return code


def _run(target: Target, found: Path, arguments: Sequence[str]) -> None:
    """atheris ends the process it runs in; what is to be instrumented is imported here for the first time."""
    import atheris

    with atheris.instrument_imports(include=["edge"]):
        one, known = target.open(), corpus_of(target)
    for number, content in enumerate(known):
        (found / f"known-{number}").write_bytes(content)
    os.chdir(found.parent)
    limits = [f"-max_len={_MOST_BYTES}", "-timeout=30", "-rss_limit_mb=4096"]
    atheris.Setup([sys.argv[0], *limits, *arguments, str(found)], one)
    atheris.Fuzz()

"""The command line as a person meets it: a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import skimage

# What native libraries write on standard error by themselves.
_CHATTER = ("INFO: Created TensorFlow Lite", "libpng warning:")

REPOSITORY = Path(__file__).resolve().parents[2]
PHOTOGRAPHS = Path(skimage.__file__).parent / "data"  # scikit-image's wheel carries them; nothing is downloaded


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    code: int
    out: str
    err: str

    def objects(self) -> list[dict[str, Any]]:
        """Standard output as JSON lines; fails on anything else there."""
        return [json.loads(line) for line in self.out.splitlines()]

    def assert_one_error(self, code: int, *words: str) -> None:
        """One line on standard error with these words, nothing on standard output, no traceback."""
        assert self.code == code, self
        assert self.out == "", self
        assert "Traceback" not in self.err, self.err
        assert len(self.err.strip().splitlines()) == 1, self.err
        for word in words:
            assert word in self.err, self.err


def edge(*arguments: str | Path, first_on_path: Path | None = None) -> Answer:
    """Run ``edge`` with these arguments.

    first_on_path : a folder whose Python packages hide the installed ones
    """
    search = [str(REPOSITORY)] if first_on_path is None else [str(first_on_path), str(REPOSITORY)]
    done = subprocess.run(
        [sys.executable, "-m", "edge", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(search)},
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if not line.startswith(_CHATTER)]
    return Answer(done.returncode, done.stdout, "\n".join(said))

"""Inputs of earlier runs: a text file for each target, a line of base64 for each input."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from pathlib import Path

from tools.faults.fuzz.target import Target

_FOLDER = Path(__file__).with_name("corpus")


def corpus_file(target: Target) -> Path:
    return _FOLDER / f"{target.name}.txt"


def corpus_of(target: Target) -> list[bytes]:
    """Its seeds, and what earlier runs have found worth keeping."""
    file = corpus_file(target)
    lines = file.read_text(encoding="ascii").splitlines() if file.exists() else []
    return [*target.seeds(), *(b64decode(line) for line in lines)]


def write_corpus(file: Path, contents: Sequence[bytes]) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text("".join(f"{b64encode(each).decode('ascii')}\n" for each in contents), encoding="ascii")

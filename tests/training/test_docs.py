"""The commands on docs/training.md are commands that exist."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tools.training.__main__ import parse

PAGE = Path(__file__).resolve().parents[2] / "docs" / "training.md"
COMMANDS = [
    line.strip() for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("    tools/train ")
]


@pytest.mark.parametrize("line", COMMANDS, ids=lambda line: line.split()[1])
def test_the_page_s_commands_are_understood(line):
    assert callable(parse(shlex.split(line, comments=True)[1:]).run)


def test_the_page_shows_each_step():
    assert {line.split()[1] for line in COMMANDS} == {"pack", "fit", "export", "describe", "teach"}

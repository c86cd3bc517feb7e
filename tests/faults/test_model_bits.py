"""Damaged model files are refused before the runtime sees them. The long run is ``tools/faults/model_bits.py``."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.core.shared_files import shared_folder
from tools.faults.model_bits import examine


def test_a_cut_file_or_a_single_turned_bit_is_never_accepted() -> None:
    files = sorted(shared_folder("models").glob("*.tflite"))

    tally = examine(files, flips=60, seed=1, cuts=8)

    assert tally.accepted == []
    assert tally.damaged == {"bit": 60, "cut": 16}


@pytest.mark.slow
@pytest.mark.shared
def test_nor_in_the_files_of_others(shared: Path) -> None:
    files = sorted((shared / "models").glob("*.tflite"))

    tally = examine(files, flips=400, seed=2, cuts=40)

    assert tally.accepted == []

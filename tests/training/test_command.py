"""The command line, as far as it goes without torch."""

from __future__ import annotations

import pytest

from tests.training.sets import write_set
from tools.training.__main__ import main


def test_every_command_explains_itself(capsys):
    for command in ("teach", "pack", "fit", "export", "describe", "smoke"):
        with pytest.raises(SystemExit) as ended:
            main([command, "--help"])
        assert ended.value.code == 0
    assert "--data" in capsys.readouterr().out


def test_a_mistake_is_one_line_and_a_code(tmp_path, capsys):
    write_set(tmp_path / "coco-dev")

    code = main(["pack", "--data", str(tmp_path / "coco-dev"), "--out", str(tmp_path / "out")])

    assert code == 78
    assert capsys.readouterr().err.startswith("tools/train: ")

"""Line counts survive restarts, and what is wrong with their file is said."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from edge.core.events import LineCount
from edge.track.ledger import Ledger
from edge.track.rulebook import Layout, RuleBook
from tests.builders import START
from tests.track.stage import GATE, Stage

SINCE_MS = round(START.timestamp() * 1000)


def stage_on(file: Path) -> Stage:
    return Stage(RuleBook(Layout(lines=GATE), ledger=Ledger(file)))


def cross(stage: Stage, number: int = 1) -> None:
    stage.walk(number, *np.arange(0.4, 0.6, 0.02))


def test_counts_go_on_after_a_restart(tmp_path: Path) -> None:
    first = stage_on(tmp_path / "state" / "lines.json")
    cross(first)
    first.book.finish()

    second = stage_on(tmp_path / "state" / "lines.json")
    second.lag_s = 86_400.0
    cross(second)

    assert second.book.changes()[-1] == LineCount("gate", 0, 2, SINCE_MS + 100)


def test_a_crossing_is_kept_even_if_the_program_is_killed(tmp_path: Path) -> None:
    cross(stage_on(tmp_path / "lines.json"))

    assert Ledger(tmp_path / "lines.json").read() == (LineCount("gate", 0, 1, SINCE_MS + 100),)


def test_a_busy_line_is_written_at_most_every_five_seconds(tmp_path: Path) -> None:
    file = tmp_path / "lines.json"
    ledger = Ledger(file)
    written = []

    for tenth in range(200):
        ledger.keep((LineCount("gate", tenth, 0, 1),), tenth * 100_000_000)
        written.append(file.read_text())

    # the first zeros, and then the newest count every five seconds
    assert len(set(written)) == 5


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[1, 2]",
        b'{"schema": 1, "lines": {"gate": {"in": -1, "out": 0, "since": 0}}}',
        b'{"schema": 1, "lines": {"gate": {"in": "many", "out": 0, "since": 0}}}',
        b'{"schema": 2, "lines": {}}',
        b'{"schema": 1, "lines": {}, "more": 1}',
        b'{"schema": 1, "lines": {"gate": {"in": 99999999999999999999, "out": 0, "since": 0}}}',
        b"[" * 2_000_000,
    ],
)
def test_a_damaged_file_is_said_and_kept_and_counting_begins_at_0(
    content: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "lines.json"
    file.write_bytes(content)

    stage = stage_on(file)
    cross(stage)

    assert stage.book.changes()[-1] == LineCount("gate", 0, 1, SINCE_MS + 100)
    assert "counting begins at 0" in caplog.text
    assert (tmp_path / "lines.damaged").read_bytes() == content
    assert Ledger(file).read() == (LineCount("gate", 0, 1, SINCE_MS + 100),)


def test_a_folder_that_can_t_be_written_to_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    stage = stage_on(tmp_path / "state" / "lines.json")

    for number in range(1, 6):
        cross(stage, number)
        stage.nothing(for_s=10.0, every_s=5.0)

    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert sum("can't be written" in record.getMessage() for record in warnings) == 1
    assert stage.book.changes()[-1] == LineCount("gate", 0, 5, SINCE_MS + 100)


def test_a_line_that_is_gone_is_forgotten_and_a_new_one_begins_at_0(tmp_path: Path) -> None:
    file = tmp_path / "lines.json"
    Ledger(file).write((LineCount("old", 3, 4, 5), LineCount("gate", 1, 2, 3)))
    stage = Stage(RuleBook(Layout(lines={**GATE, "new": ((0.9, 0.0), (0.9, 1.0))}), ledger=Ledger(file)))

    stage.show({})

    assert stage.book.changes() == [LineCount("gate", 1, 2, 3), LineCount("new", 0, 0, SINCE_MS + 100)]

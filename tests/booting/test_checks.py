"""The checks of the card image: what they must not overlook, and a time server that a camera believes."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from tools.booting.deaths import tally
from tools.booting.time_server import answer


def told(folder: Path, *events: dict[str, object]) -> Path:
    path = folder / "events.jsonl"
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return path


def event(epoch: str, seq: int, type_: str = "absence") -> dict[str, object]:
    return {"epoch": epoch, "seq": seq, "type": type_}


def test_events_of_two_starts_are_counted(tmp_path: Path) -> None:
    events = told(tmp_path, event("a", 2), event("a", 1), event("b", 1))

    assert tally(events) == "3 events of 2 epochs, none lost, none twice, none missing"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (event("a", 1), "twice [('a', 1)]"),
        (event("a", 3), "missing [('a', 2)]"),
        (event("a", 2, "gap"), "lost [{'epoch': 'a', 'seq': 2"),
        ({"notice": "gap", "device": "gate"}, "lost [{'notice': 'gap'"),
    ],
)
def test_a_loss_is_told(tmp_path: Path, more: dict[str, object], words: str) -> None:
    events = told(tmp_path, event("a", 1), more)

    with pytest.raises(RuntimeError) as caught:
        tally(events)

    assert words in str(caught.value)


def test_a_camera_finds_its_question_in_the_answer() -> None:
    """RFC 5905: the time it was asked at comes back as the origin; else a client throws the answer away."""
    question = struct.pack("!BBbb11I", 0x23, 0, 6, -20, *([0] * 9), 3_990_000_000, 12345)

    reply = struct.unpack("!BBbb11I", answer(question))

    assert (reply[0] & 7, reply[1]) == (4, 2)  # a server's, of stratum 2
    assert reply[9:11] == (3_990_000_000, 12345)
    assert reply[11] > 3_980_000_000

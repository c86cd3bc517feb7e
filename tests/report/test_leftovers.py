"""What is no longer configured leaves the broker too."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.core.values import Message
from edge.report.leftovers import Kept, Leftovers
from edge.report.topics import Topics

YARD = Kept(labels=("person", "car"), zones=("drive",), lines=("gate",))
BASE = "edge/gate/camera"


class Start:
    """One start of the service after another, over the same memory."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "state" / "retained.json"
        self.is_settled = True

    def __call__(self, *, device: str = "gate", **cameras: Kept) -> list[Message]:
        self.errand = Leftovers(cameras, Topics(device), self.file, is_settled=lambda: self.is_settled)
        return self.errand.open()

    def settled(self, *, device: str = "gate", **cameras: Kept) -> list[str]:
        """What was taken back, once the broker has it."""
        said = self(device=device, **cameras)
        assert all(message == Message(message.topic, b"", qos=1, retain=True) for message in said)
        assert self.errand.due() == []
        return [message.topic for message in said]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    return Start(tmp_path)


def test_a_first_start_and_one_without_a_change_take_nothing_back(start: Start) -> None:
    assert start.settled(yard=YARD) == []
    assert start.settled(yard=YARD) == []


def test_of_a_removed_camera_nothing_is_left(start: Start) -> None:
    start.settled(yard=YARD, shed=Kept(labels=("person",), zones=("door",), lines=("sill",), snapshots=True))

    assert start.settled(yard=YARD) == [
        f"{BASE}/shed/count/person",
        f"{BASE}/shed/line/sill",
        f"{BASE}/shed/snapshot/person",
        f"{BASE}/shed/status",
        f"{BASE}/shed/zone/door/person",
    ]
    assert start.settled(yard=YARD) == []


@pytest.mark.parametrize(
    ("now", "gone"),
    [
        (Kept(("person", "car"), lines=("gate",)), [f"{BASE}/yard/zone/drive/car", f"{BASE}/yard/zone/drive/person"]),
        (Kept(("person", "car"), ("drive",)), [f"{BASE}/yard/line/gate"]),
        (Kept(("person",), ("drive",), ("gate",)), [f"{BASE}/yard/count/car", f"{BASE}/yard/zone/drive/car"]),
    ],
)
def test_a_removed_zone_line_or_label_takes_its_states_along(start: Start, now: Kept, gone: list[str]) -> None:
    start.settled(yard=YARD)

    assert start.settled(yard=now) == gone


def test_what_the_broker_has_not_taken_back_yet_is_taken_back_by_the_next_start(start: Start) -> None:
    start.settled(yard=YARD, shed=YARD)
    start.is_settled = False
    first = start.settled(yard=YARD, barn=YARD)
    start.is_settled = True

    assert start.settled(yard=YARD, barn=YARD) == first
    assert start.settled(yard=YARD, barn=YARD) == []


def test_a_start_that_adds_and_is_cut_short_is_remembered(start: Start) -> None:
    start.settled(yard=YARD, shed=YARD)
    start.is_settled = False
    start.settled(barn=YARD)
    start.is_settled = True

    gone = start.settled(yard=YARD)

    assert {topic.split("/")[3] for topic in gone} == {"shed", "barn"}


def test_the_states_of_another_device_are_not_ours_to_clear(start: Start) -> None:
    start.settled(yard=YARD)

    assert start.settled(device="door") == []


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 5000, b'{"device": 3}', b"\xff\xfe", b"x" * (2 << 20)])
def test_a_memory_that_can_not_be_read_is_no_trouble(
    start: Start, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    start.file.parent.mkdir()
    start.file.write_bytes(content)

    assert start.settled(yard=YARD) == []
    assert "ignored" in caplog.text
    assert len(start.settled(yard=Kept())) == 5


def test_a_name_in_the_memory_that_may_not_stand_in_a_topic_is_no_trouble(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    start.file.parent.mkdir()
    start.file.write_bytes(b'{"device": "gate", "cameras": {"a/#": {"zones": ["+"], "labels": ["x"]}}}')

    assert start.settled(yard=YARD) == []
    assert "ignored" in caplog.text


def test_a_folder_that_can_not_be_written_to_is_said_and_no_more(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    start.file.parent.write_bytes(b"")

    assert start.settled(yard=YARD) == []
    assert "can't be kept" in caplog.text

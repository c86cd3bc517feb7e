"""Home Assistant's picture of a device stays true over restarts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.core.clock import HandClock
from edge.core.values import Message
from edge.report.announcer import Announcer
from edge.report.discovery import Discovery
from edge.report.entities import ShownCamera, ShownDevice
from edge.report.topics import Topics

CONFIG = "homeassistant/device/gate/config"


class Start:
    """One start of the service after another, over the same memory."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "state" / "home-assistant.json"
        self.clock = HandClock()
        self.is_settled = True

    def __call__(
        self, *cameras: str, device: str = "gate", prefix: str = "homeassistant", shown: bool = True
    ) -> Announcer:
        camera = tuple(ShownCamera(name, ("person",)) for name in cameras)
        discovery = Discovery(ShownDevice("0.1.0", "m", camera), Topics(device), prefix) if shown else None
        return Announcer(discovery, self.file, clock=self.clock, is_settled=lambda: self.is_settled)

    def settle(self, announcer: Announcer) -> list[Message]:
        """What is said once the first word has arrived."""
        said = announcer.due()
        self.clock.advance(5)
        return said + announcer.due()


@pytest.fixture
def start(tmp_path: Path) -> Start:
    return Start(tmp_path)


def entities(message: Message) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = json.loads(message.payload)["components"]
    return found


def test_a_first_start_says_what_there_is_once(start: Start) -> None:
    announcer = start("yard")

    (message,) = announcer.open()

    assert "yard_person_count" in entities(message)
    assert start.settle(announcer) == []


def test_a_removed_camera_is_taken_back_and_then_forgotten(start: Start) -> None:
    start("yard", "shed").open()
    announcer = start("yard")

    first = announcer.open()
    second = start.settle(announcer)

    removed = entities(first[-1])
    assert removed["shed_person_count"] == {"platform": "sensor"}
    assert removed["shed_alerts"] == {"platform": "event"}
    assert "unique_id" in removed["yard_person_count"]
    assert [message.topic for message in second] == [CONFIG]
    assert not [key for key in entities(second[0]) if key.startswith("shed")]
    assert start("yard").open()[0] == second[0]


def test_the_second_word_waits_until_the_first_has_arrived(start: Start) -> None:
    start("yard", "shed").open()
    announcer = start("yard")
    announcer.open()
    start.is_settled = False

    start.clock.advance(3600)
    assert start.settle(announcer) == []

    start.is_settled = True
    assert len(start.settle(announcer)) == 1


def test_a_start_that_was_cut_short_takes_back_again(start: Start) -> None:
    start("yard", "shed").open()
    start("yard").open()

    (*_, message) = start("yard").open()

    assert entities(message)["shed_person_count"] == {"platform": "sensor"}


def test_switched_off_the_whole_device_is_taken_back_and_the_memory_goes(start: Start) -> None:
    start("yard").open()
    announcer = start(shown=False)

    said = announcer.open()
    start.settle(announcer)

    assert said == [Message(CONFIG, b"", qos=1, retain=True)]
    assert not start.file.exists()


@pytest.mark.parametrize("change", [{"device": "door"}, {"prefix": "home"}])
def test_another_name_or_prefix_takes_the_old_device_back(start: Start, change: dict[str, str]) -> None:
    start("yard").open()

    said = start("yard", **change).open()  # type: ignore[arg-type]

    assert Message(CONFIG, b"", qos=1, retain=True) in said
    assert said[-1].topic != CONFIG
    assert said[-1].payload


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[" * 5000, b'{"schema": 1, "devices": 3}', b"\xff\xfe", b"x" * (2 << 20)]
)
def test_a_memory_that_can_not_be_read_is_no_trouble(
    start: Start, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    start.file.parent.mkdir()
    start.file.write_bytes(content)

    said = start("yard").open()

    assert "ignored" in caplog.text
    assert len(said) == 1


def test_a_folder_that_can_not_be_written_to_is_said_and_no_more(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    start.file.parent.write_text("a file where the folder should be")

    said = start("yard").open()

    assert len(said) == 1
    assert "deleted there by hand" in caplog.text

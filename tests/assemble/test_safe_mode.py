"""What a service that keeps crashing comes back to."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from edge.assemble.model import find
from edge.assemble.safe_mode import LAST_GOOD, STARTS, begin
from edge.catalog.trust import COPY, ModelTrust
from edge.core.clock import HandClock
from edge.core.errors import ConfigError
from edge.core.model import Model
from edge.service.crash_loop import MOST_STARTS

OLD = "device: gate\ncameras: {old: {source: 'synthetic:'}}\n"
NEW = "device: gate\ncameras: {new: {source: 'synthetic:'}}\n"
SUPERVISED = {"NOTIFY_SOCKET": "/run/systemd/notify"}


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "edge.yaml"
    path.write_text(OLD)
    return path


@pytest.fixture(scope="session")
def model() -> Model:
    return find("edge-default")


def crash(file: Path, times: int = MOST_STARTS) -> None:
    for _ in range(times):
        begin(file, HandClock(), environment=SUPERVISED)


def start(file: Path) -> tuple[str, tuple[str, ...]]:
    begun = begin(file, HandClock(), environment=SUPERVISED)
    return next(iter(begun.config.cameras)), begun.reasons


def test_a_new_configuration_that_crashes_gives_way_to_the_one_that_ran_well(
    state: Path, file: Path, model: Model
) -> None:
    begin(file, HandClock(), environment=SUPERVISED).ran_well(model)
    file.write_text(NEW)
    crash(file)

    begun = begin(file, HandClock(), environment=SUPERVISED)

    assert list(begun.config.cameras) == ["old"]
    assert begun.config.folder == file.parent  # relative paths still count from there
    assert (begun.note, begun.reasons) == ("safe mode", ("safe_mode",))
    assert begun.model is not None
    assert begun.model.path.parent == state / LAST_GOOD
    assert begun.model.path.read_bytes() == model.path.read_bytes()


def test_a_mended_file_is_tried_at_once(state: Path, file: Path, model: Model) -> None:
    begin(file, HandClock(), environment=SUPERVISED).ran_well(model)
    file.write_text(NEW)
    crash(file)

    file.write_text(NEW + "threads: 1\n")

    assert start(file) == ("new", ())


def test_without_anything_that_ever_ran_well_it_goes_on_and_says_so(state: Path, file: Path) -> None:
    crash(file)

    assert start(file) == ("old", ("crash_loop",))


def test_orderly_ends_are_no_crashes(state: Path, file: Path) -> None:
    for _ in range(MOST_STARTS + 1):
        begin(file, HandClock(), environment=SUPERVISED).finished()

    assert start(file) == ("old", ())


def test_an_orderly_end_in_safe_mode_neither_ends_nor_worsens_it(state: Path, file: Path, model: Model) -> None:
    begin(file, HandClock(), environment=SUPERVISED).ran_well(model)
    file.write_text(NEW)
    crash(file)
    for _ in range(3):
        begin(file, HandClock(), environment=SUPERVISED).finished()
    clock = HandClock()

    begun = begin(file, clock, environment=SUPERVISED)

    assert begun.reasons == ("safe_mode",)
    assert clock.monotonic_ns() == 4_000_000_000


def test_a_wrong_file_is_told_not_worked_around(state: Path, file: Path, model: Model) -> None:
    begin(file, HandClock(), environment=SUPERVISED).ran_well(model)
    file.write_text("devise: gate\n")

    with pytest.raises(ConfigError, match="devise"):
        begin(file, HandClock(), environment=SUPERVISED)


def test_at_a_desk_nothing_is_counted(state: Path, file: Path) -> None:
    begin(file, HandClock(), environment={})

    assert not (state / STARTS).exists()


def test_a_kept_model_that_has_changed_is_not_used(state: Path, file: Path, model: Model) -> None:
    begin(file, HandClock(), environment=SUPERVISED).ran_well(model)
    (kept,) = (state / LAST_GOOD).glob("*.tflite")
    kept.write_bytes(kept.read_bytes()[:-1] + b"!")
    file.write_text(NEW)
    crash(file)

    assert start(file) == ("new", ("crash_loop",))


@pytest.mark.parametrize("content", [b"", b"{", b'{"unfinished": "many"}', b"\xff" * 100])
def test_memories_that_can_not_be_read_are_none(state: Path, file: Path, content: bytes) -> None:
    state.mkdir()
    (state / STARTS).write_bytes(content)
    (state / LAST_GOOD).mkdir()
    (state / LAST_GOOD / "last-good.json").write_bytes(content)

    assert start(file) == ("old", ())


def test_what_ran_well_is_written_once_and_only_its_own_model_is_kept(
    state: Path, file: Path, model: Model, tmp_path: Path
) -> None:
    begin(file, HandClock(), environment=SUPERVISED).ran_well(model)
    record = state / LAST_GOOD / "last-good.json"
    written = record.stat().st_ino
    begin(file, HandClock(), environment=SUPERVISED).ran_well(model)
    assert record.stat().st_ino == written

    begin(file, HandClock(), environment=SUPERVISED).ran_well(find("edge-default-320"))

    assert [path.stem for path in (state / LAST_GOOD).glob("*.tflite")] == [find("edge-default-320").sha256]


def test_a_disk_that_takes_nothing_does_not_stop_the_start(
    state: Path, file: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("edge.assemble.safe_mode.write_kept", full)

    begun = begin(file, HandClock(), environment=SUPERVISED)
    begun.ran_well(model)

    assert list(begun.config.cameras) == ["old"]


def test_the_model_that_is_kept_already_is_not_kept_twice(state: Path, file: Path, model: Model) -> None:
    trust = ModelTrust(state)
    begun = begin(file, HandClock(), environment=SUPERVISED)
    trust.trust(model, asked=model.name, is_bare=False)

    begun.ran_well(model, trust.last_good())

    (kept,) = (state / LAST_GOOD).glob("*.tflite")
    assert kept.samefile(state / COPY)
    trust.trust(replace(model, sha256="0" * 64), asked="other", is_bare=False)
    assert kept.read_bytes() == model.path.read_bytes()


def test_a_wait_before_a_start_is_not_taken_from_the_time_that_systemd_gives_it(
    state: Path, file: Path, tmp_path: Path
) -> None:
    crash(file, 12)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(5.0)
        clock = HandClock()

        begin(file, clock, environment={"NOTIFY_SOCKET": str(tmp_path / "notify")})

        assert systemd.recv(1024) == b"EXTEND_TIMEOUT_USEC=150000000"
        assert clock.monotonic_ns() >= 60e9

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edge.assemble.broker import publisher_setup
from edge.assemble.outbox import outbox_path, teller, volatile_path
from edge.config.load import parse_config
from edge.config.values import Config
from edge.core.clock import HandClock
from edge.report.outbox.spans import Span
from edge.report.outbox.values import Loss, LossKind
from edge.report.topics import Topics
from edge.service.identity import Identities
from tests.flow.running import CHECKOUT


def parse(text: str = "") -> Config:
    return parse_config(f"device: gate\n{text}\ncameras: {{yard: {{source: synthetic}}}}\n".encode(), Path("/x/e.yaml"))


def test_a_path_that_a_person_chose_is_taken_as_it_is() -> None:
    assert outbox_path(parse("outbox: {path: /data/o.db}")) == Path("/data/o.db")


def test_the_service_keeps_its_outbox_in_the_folder_that_systemd_gives_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))

    assert outbox_path(parse()) == tmp_path / "outbox-gate.db"


def test_two_devices_at_one_desk_have_two_outboxes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    other = parse_config(b"device: yard\ncameras: {a: {source: synthetic}}\n", Path("/x/e.yaml"))

    assert outbox_path(parse()) != outbox_path(other)


def test_two_outboxes_have_two_places_in_memory() -> None:
    assert volatile_path(Path("/a/o.db")) != volatile_path(Path("/b/o.db"))


def test_a_gap_without_a_camera_is_told_as_the_first_camera() -> None:
    clock = HandClock()
    tell = teller(Topics("gate"), Identities("gate", "E"), clock, cameras=("yard", "street"), backend="cpu")

    told = tell(Loss(LossKind.GAP, "space", "D", (Span(3, 9), Span(12, None))))

    assert (told.epoch, told.seq, told.topic) == ("E", 1, "edge/gate/camera/yard/event")
    assert b'"lost":{"epoch":"D","ranges":[[3,9],[12,null]],"cause":"space","count":7,' in told.payload


def test_a_summary_names_its_camera_label_and_minute() -> None:
    tell = teller(Topics("gate"), Identities("gate", "E"), HandClock(), cameras=("yard", "street"), backend="cpu")

    told = tell(Loss(LossKind.SUMMARY, "space", "D", (Span(1, 1),), "street", "person", 100))

    assert (told.camera, told.label, told.topic) == ("street", "person", "edge/gate/camera/street/event")
    assert b'"type":"summary"' in told.payload
    assert b'"since_wall_ms":6000000' in told.payload


def test_a_password_shows_nowhere_that_is_printed(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("hunter2")
    secret.chmod(0o600)
    config = parse(f"broker: {{username: gate, password: {{file: {secret}}}}}")

    setup = publisher_setup(config, outbox=tmp_path / "o.db", volatile=None)

    assert setup.password == "hunter2"
    assert "hunter2" not in repr(setup)


@pytest.mark.parametrize(
    ("module", "strangers"),
    [
        ("edge.assemble.publisher", ("numpy", "cv2", "ai_edge_litert", "tflite_runtime", "yaml")),
        ("edge.assemble.service", ("paho",)),
    ],
)
def test_each_process_imports_only_what_is_its_business(module: str, strangers: tuple[str, ...]) -> None:
    code = f"import sys, {module}; print(*[name for name in {strangers!r} if name in sys.modules])"

    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=CHECKOUT)

    assert found.stdout.split() == []

"""A good file becomes values; a missing one is told with the way to make one."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from edge.config.load import find_config, load_config, parse_config
from edge.config.schedule import parse_schedule
from edge.config.values import Broker, Camera, Config, Rule, SecretRef, Tls
from edge.core.errors import ConfigError
from edge.core.names import is_name
from edge.core.shared_files import shared_folder
from tests.config.good import GOOD


def parse(text: str, path: str = "/etc/edge/edge.yaml") -> Config:
    return parse_config(text.encode(), Path(path))


def camera(text: str) -> Camera:
    return parse(f"cameras: {{yard: {{source: a.mp4, {text}}}}}").cameras["yard"]


def test_the_smallest_file_is_a_camera_with_a_source() -> None:
    config = parse("cameras: {yard: {source: picamera2:0}}")

    assert config.broker == Broker(host="localhost", port=1883)
    assert (config.model, config.accelerator, config.threads) == ("edge-default", "auto", "auto")
    assert is_name(config.device)
    assert config.cameras == {"yard": Camera(source="picamera2:0")}


def test_every_key_arrives_as_its_value() -> None:
    config = parse(GOOD)

    yard = config.cameras["yard"]
    assert config.broker.tls == Tls(
        ca=Path("/etc/edge/ca.pem"), certificate=Path("/etc/edge/gate.pem"), key=SecretRef(credential="mqtt-key")
    )
    assert config.broker.password == SecretRef(file=Path("/etc/edge/secrets/mqtt"))
    assert (config.device, config.threads, config.broker.keepalive_seconds) == ("gate", 2, 20)
    assert (yard.size, yard.fps, yard.rotate, yard.pace, yard.labels) == (
        (1280, 720),
        10.0,
        0,
        "real",
        ("person", "car"),
    )
    assert yard.thresholds == {"default": 0.5, "person": 0.6, "traffic light": 0.4}
    assert yard.zones == {"drive": ((0.1, 0.5), (0.9, 0.5), (0.9, 1.0), (0.1, 1.0))}
    assert (yard.lines["gate-line"].start, yard.lines["gate-line"].end) == ((0.2, 0.6), (0.8, 0.6))
    assert yard.rules["person-in-drive"] == Rule(
        label="person",
        zone="drive",
        when="dwell",
        seconds=1.0,
        severity="alert",
        cooldown_seconds=60.0,
        schedule=parse_schedule("22:00-06:00"),
    )
    assert config.cameras["street"].source == "rtsp://192.168.1.20:554/stream1"
    assert config.health.prometheus == "127.0.0.1:9750"
    assert config.outbox.path == Path("/var/lib/edge/outbox.db")


def test_the_installed_example_is_good() -> None:
    config = load_config(shared_folder("systemd") / "edge.example.yaml")

    assert list(config.cameras) == ["yard"]


def test_what_the_example_shows_in_comments_is_good_as_well() -> None:
    text = (shared_folder("systemd") / "edge.example.yaml").read_text("utf-8")

    config = parse(re.sub(r"(?m)^( +)# ( *[a-z_]+:(?: .*)?)$", r"\1\2", text))

    assert config.broker.tls is not None
    assert config.broker.password == SecretRef(credential="mqtt-password")
    assert list(config.cameras) == ["yard", "street", "desk"]
    assert config.cameras["yard"].publish_detections


def test_relative_paths_count_from_the_folder_of_the_file() -> None:
    config = parse(
        "model: nets/own.tflite\noutbox: {path: out.db}\ncameras: {a: {source: clips/a.mp4}}", "/data/e.yaml"
    )

    assert config.folder == Path("/data")
    assert config.model == "/data/nets/own.tflite"
    assert config.outbox.path == Path("/data/out.db")
    assert config.cameras["a"].source == "/data/clips/a.mp4"


def test_a_tilde_is_the_home_of_the_user() -> None:
    config = parse("cameras: {a: {source: ~/a.mp4}}")

    assert config.cameras["a"].source == os.path.expanduser("~/a.mp4")  # noqa: PTH111


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        ("picamera2:1", "picamera2:1"),
        ("/dev/video0", "/dev/video0"),
        ("/dev/v4l/by-id/usb-cam-index0", "/dev/v4l/by-id/usb-cam-index0"),
        ("v4l2:0", "v4l2:0"),
        ("rtsp://[fe80::1]:554/a?channel=1", "rtsp://[fe80::1]:554/a?channel=1"),
        ("rtsp://camera/a@b", "rtsp://camera/a@b"),
        ("https://camera/stream.mjpg", "https://camera/stream.mjpg"),
        ("'synthetic:'", "synthetic:"),
        ("synthetic", "synthetic:"),
        ("'synthetic:?objects=3'", "synthetic:?objects=3"),
        ("'clips/tag 1: ä.mp4'", "/etc/edge/clips/tag 1: ä.mp4"),
        ("video", "/etc/edge/video"),
    ],
)
def test_every_kind_of_source_is_taken(source: str, kept: str) -> None:
    assert parse(f"cameras:\n  a:\n    source: {source}\n").cameras["a"].source == kept


def test_tls_moves_the_default_port_and_an_own_port_stays() -> None:
    text = "cameras: {a: {source: x}}\nbroker: {host: b.example, tls: {}"

    assert parse(text + "}").broker.port == 8883
    assert parse(text + ", port: 1883}").broker.port == 1883


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "'::1'", "ip6-localhost"])
def test_plain_text_may_go_to_this_machine(host: str) -> None:
    assert parse(f"cameras: {{a: {{source: x}}}}\nbroker: {{host: {host}}}").broker.tls is None


@pytest.mark.parametrize("word", ["true", "True", "yes", "on"])
def test_a_switch_may_be_any_of_yaml_s_words(word: str) -> None:
    assert camera(f"loop: {word}").loop is True


@pytest.mark.parametrize(("text", "value"), [("10", 10.0), ("7.5", 7.5), (".5", 0.5), ("1e1", 10.0), ("+5", 5.0)])
def test_a_number_may_be_written_in_any_plain_way(text: str, value: float) -> None:
    assert camera(f"fps: {text}").fps == value


@pytest.mark.parametrize("name", ["auto", "cpu", "edgetpu", "edgetpu:usb", "edgetpu:pci", "edgetpu:usb:1"])
def test_every_accelerator_is_taken(name: str) -> None:
    assert parse(f"accelerator: {name}\ncameras: {{a: {{source: x}}}}").accelerator == name


def test_the_default_threshold_stands_for_labels_that_have_none() -> None:
    yard = camera("thresholds: {default: 0.5, cat: 0.7}")

    assert (yard.threshold_for("cat"), yard.threshold_for("dog")) == (0.7, 0.5)
    assert camera("fps: 1").threshold_for("cat") is None


def test_anchors_and_merging_save_repetition() -> None:
    config = parse(
        "cameras:\n  a: &all {source: a.mp4, fps: 5, labels: [cat]}\n  b: {<<: *all, source: b.mp4}\n"
        "  c: {fps: 9, <<: [*all, {loop: true}]}\n"
    )

    b, c = config.cameras["b"], config.cameras["c"]
    assert (b.source, b.fps, b.labels) == ("/etc/edge/b.mp4", 5.0, ("cat",))
    assert (c.source, c.fps, c.loop) == ("/etc/edge/a.mp4", 9.0, True)


def test_a_named_file_is_taken_as_it_is(tmp_path: Path) -> None:
    assert find_config(tmp_path / "mine.yaml") == tmp_path / "mine.yaml"


def test_the_file_in_this_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.config.load.SYSTEM_FILE", tmp_path / "none.yaml")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "edge.yaml").write_text("x")

    assert find_config() == Path("edge.yaml")


def test_no_file_at_all_is_told_with_both_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.config.load.SYSTEM_FILE", tmp_path / "none.yaml")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ConfigError, match=r"none\.yaml or \./edge\.yaml, found none; name one with --config FILE"):
        find_config()


@pytest.mark.parametrize(
    ("name", "words"), [("none.yaml", "nothing there"), (".", "a folder"), ("a\0b", "can't be read")]
)
def test_a_file_that_can_not_be_read_is_told(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        load_config(tmp_path / name)


def test_an_endless_file_is_left_at_the_bound() -> None:
    with pytest.raises(ConfigError, match="at most 1048576 bytes"):
        load_config(Path("/dev/zero"))


def test_a_disk_that_fails_is_not_the_configurations_fault() -> None:
    """Reading /proc/self/mem at its beginning is an input/output error, as from a worn card: another start may work."""
    with pytest.raises(ConfigError, match=r"just now: .*Input/output error") as caught:
        load_config(Path("/proc/self/mem"))

    assert caught.value.exit_code == 75


def test_a_file_that_is_not_there_is_for_a_person_to_mend(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "none.yaml")

    assert caught.value.exit_code == 78

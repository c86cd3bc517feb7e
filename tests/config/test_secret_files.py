"""Secrets come from closed files alone, and no message ever holds one."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

import pytest

from edge.config.files import check_files
from edge.config.load import parse_config
from edge.config.secret_files import MAX_SECRET_BYTES, check_private, login_source, read_secret, secret_path
from edge.config.values import Camera, SecretRef
from edge.core.errors import ConfigError

CANARY = "canary-4711"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text(f"{CANARY}\n")
    path.chmod(0o600)
    return path


@pytest.mark.parametrize(
    ("content", "text"),
    [(b"a b\n", "a b"), (b"a\r\n", "a"), (b" a \n\n", " a \n"), (b"a", "a"), ("pä\n".encode(), "pä")],
)
def test_one_newline_at_the_end_is_left_out_and_nothing_else(secret: Path, content: bytes, text: str) -> None:
    secret.write_bytes(content)

    assert read_secret(SecretRef(file=secret), "broker.password") == text


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o602])
def test_a_file_open_to_others_is_refused_with_the_command_that_closes_it(secret: Path, mode: int) -> None:
    secret.chmod(mode)

    with pytest.raises(ConfigError, match=f"broker.password: others may read or change .*chmod 600 {secret}"):
        read_secret(SecretRef(file=secret), "broker.password")


def test_a_key_that_a_library_reads_itself_must_be_closed_as_well(secret: Path) -> None:
    assert secret_path(SecretRef(file=secret), "broker.tls.key") == secret

    secret.chmod(0o644)
    with pytest.raises(ConfigError, match="others may read or change"):
        secret_path(SecretRef(file=secret), "broker.tls.key")


def test_a_credential_comes_from_systemd_s_folder(secret: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """systemd shows the service's group in the mode, through an ACL: that is no fault."""
    secret.chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(secret.parent))

    assert read_secret(SecretRef(credential="secret"), "broker.password") == CANARY
    assert secret_path(SecretRef(credential="secret"), "broker.tls.key") == secret


def test_a_credential_outside_the_service_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)

    with pytest.raises(ConfigError, match=r"comes from systemd, and this process has none .* use \{file: PATH\}"):
        read_secret(SecretRef(credential="mqtt"), "broker.password")


def test_a_credential_that_was_not_handed_over_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

    with pytest.raises(ConfigError, match="LoadCredential=mqtt:FILE"):
        read_secret(SecretRef(credential="mqtt"), "broker.password")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"\xff" + CANARY.encode(), "no UTF-8 text"),
        (CANARY.encode() * MAX_SECRET_BYTES, "more than 65536 bytes"),
    ],
)
def test_a_file_that_holds_no_secret_is_told_without_its_content(secret: Path, content: bytes, words: str) -> None:
    secret.write_bytes(content)

    with pytest.raises(ConfigError, match=words) as caught:
        read_secret(SecretRef(file=secret), "broker.password")

    told = "".join(traceback.format_exception(caught.value))
    assert CANARY not in told


def test_a_missing_file_a_folder_and_a_pipe_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        check_private(tmp_path / "none", "broker.tls.key")
    with pytest.raises(ConfigError, match="Is a directory"):
        check_private(tmp_path, "broker.tls.key")
    with pytest.raises(ConfigError, match="no plain file"):
        check_private(Path(os.devnull), "broker.tls.key")


def test_a_camera_s_login_is_put_into_its_address_encoded(secret: Path) -> None:
    secret.write_text("p@ss/w:rd ä")
    camera = Camera(source="rtsp://camera:554/live", username="joe", password=SecretRef(file=secret))

    assert login_source(camera, "cameras.yard") == "rtsp://joe:p%40ss%2Fw%3Ard%20%C3%A4@camera:554/live"
    assert login_source(Camera(source="rtsp://camera/live"), "cameras.yard") == "rtsp://camera/live"


def test_a_loaded_configuration_holds_no_secret(secret: Path) -> None:
    text = f"broker: {{username: joe, password: {{file: {secret}}}}}\ncameras: {{a: {{source: synthetic}}}}"

    config = parse_config(text.encode(), Path("edge.yaml"))

    assert read_secret(config.broker.password or SecretRef(), "broker.password") == CANARY
    assert CANARY not in repr(config)


SECRET_PLACES = [
    "broker: {{username: joe, password: {}}}",
    "broker: {{username: joe, password: [{}]}}",
    "broker: {{username: joe, password: {{{}}}}}",
    "broker: {{username: joe, password: {{value: {}}}}}",
    "broker: {{username: joe, password: {{credential: x, file: {}}}}}",
    "broker: {{username: joe, password: {{credential: '/{}'}}}}",
    "broker: {{username: joe, password: *{}}}",
    "broker: {{username: joe, password: !{} x}}",
    "broker: {{username: joe, password: &{} x}}",
    "broker: {{username: joe, password: @{}}}",
    "broker: {{username: joe, password: '{}}}",
    'broker: {{username: joe, password: "\\{}"}}',
    "broker: {{passwort: {}}}",
    "broker: {{tls: {{certificate: a, key: '-----BEGIN {}'}}}}",
    'broker: {{tls: {{certificate: a, key: {{file: "a\\n{}"}}}}}}',
    "broker: mqtt://joe:{}@localhost",
    "broker: {{host: 'mqtt://joe:{}@localhost'}}",
    "broker: {{host: 'joe:{}@localhost'}}",
    "broker:\n  username: joe password: {}",
    "broker:\n  password: {}: x",
    "broker:\n  password {}",
    "cameras: {{a: 'rtsp://joe:{}@host/x'}}",
    "cameras: {{a: {{source: 'rtsp://joe:{}@host/x'}}}}",
    "cameras: {{a: {{source: 'rtsp://host/user=joe&password={} x'}}}}",
    "cameras: {{a: {{source: 'rtmp://joe:{}@host/x'}}}}",
    "cameras: {{a: {{source: 'rtsp://host/x', username: joe, password: {}}}}}",
    "%{}\n---\ncameras: {{}}",
]


@pytest.mark.parametrize("place", SECRET_PLACES)
def test_no_message_repeats_a_secret_wherever_it_was_written(place: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(place.format(CANARY).encode(), Path("edge.yaml"))

    assert CANARY not in "".join(traceback.format_exception(caught.value))


def checked(text: str, folder: Path) -> list[str]:
    config = parse_config(text.encode(), folder / "edge.yaml")
    return [problem.sentence("edge.yaml") for problem in check_files(config)]


def test_files_that_are_named_and_missing_are_told_with_their_line(tmp_path: Path) -> None:
    text = (
        "broker:\n  username: joe\n  password: {file: mqtt}\n"
        "  tls: {ca: ca.pem, certificate: a.pem, key: a.key}\n"
        "cameras:\n  yard:\n    source: walk.mp4\n"
    )

    told = checked(text, tmp_path)

    assert [line.split(": ")[:2] for line in told] == [
        ["edge.yaml:4", "broker.tls.ca"],
        ["edge.yaml:4", "broker.tls.certificate"],
        ["edge.yaml:4", "broker.tls.key"],
        ["edge.yaml:3", "broker.password"],
        ["edge.yaml:7", "cameras.yard.source"],
    ]


def test_a_private_key_that_others_can_read_is_told(tmp_path: Path) -> None:
    for name, mode in (("a.pem", 0o644), ("a.key", 0o644)):
        (tmp_path / name).write_text("x")
        (tmp_path / name).chmod(mode)

    for key in ("a.key", "{file: a.key}"):
        text = f"broker: {{tls: {{certificate: a.pem, key: {key}}}}}\ncameras: {{a: {{source: synthetic}}}}"
        (told,) = checked(text, tmp_path)
        assert told.startswith("edge.yaml:1: broker.tls.key: others may read or change")


def test_credentials_cameras_and_streams_are_not_looked_for(tmp_path: Path) -> None:
    text = (
        "broker: {username: joe, password: {credential: mqtt}}\n"
        "cameras: {a: {source: /dev/video9}, b: {source: picamera2:0}, c: {source: rtsp://c/x}, d: {source: synthetic}}"
    )

    assert checked(text, tmp_path) == []


def test_a_disk_that_fails_is_not_the_secrets_fault() -> None:
    with pytest.raises(ConfigError, match="can't be read just now: Input/output error") as caught:
        check_private(Path("/proc/self/mem"), "broker.tls.key")

    assert caught.value.exit_code == 75

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.capture.scene import SceneOptions
from edge.capture.settings import SourceSettings
from edge.capture.spec import SourceKind, SourceSpec, parse_source, redacted
from edge.core.errors import ConfigError

BASE = Path("/etc/edge")


def parse(text: str, base: Path = BASE) -> SourceSpec:
    return parse_source(text, base=base)


@pytest.mark.parametrize(
    ("text", "kind", "target"),
    [
        ("picamera2:0", SourceKind.PICAMERA2, "0"),
        ("picamera2:12", SourceKind.PICAMERA2, "12"),
        ("/dev/video0", SourceKind.V4L2, "/dev/video0"),
        ("/dev/v4l/by-id/usb-Cam-video-index0", SourceKind.V4L2, "/dev/v4l/by-id/usb-Cam-video-index0"),
        ("v4l2:2", SourceKind.V4L2, "/dev/video2"),
        ("v4l2:/dev/video3", SourceKind.V4L2, "/dev/video3"),
        ("rtsp://10.0.0.5/live", SourceKind.STREAM, "rtsp://10.0.0.5/live"),
        ("RTSP://u:p@cam:554/live?x=1", SourceKind.STREAM, "RTSP://u:p@cam:554/live?x=1"),
        ("rtsps://[fe80::1]:322/live", SourceKind.STREAM, "rtsps://[fe80::1]:322/live"),
        ("https://cam/video.mjpg", SourceKind.STREAM, "https://cam/video.mjpg"),
        ("clips/walk.mp4", SourceKind.VIDEO, "/etc/edge/clips/walk.mp4"),
        ("walk.mkv", SourceKind.VIDEO, "/etc/edge/walk.mkv"),
        ("/srv/walk.mp4", SourceKind.VIDEO, "/srv/walk.mp4"),
        ("  /srv/walk.mp4 ", SourceKind.VIDEO, "/srv/walk.mp4"),
        ("photo.JPG", SourceKind.PICTURES, "/etc/edge/photo.JPG"),
        ("pictures/", SourceKind.PICTURES, "/etc/edge/pictures"),
        ("synthetic:", SourceKind.SYNTHETIC, ""),
    ],
)
def test_every_kind_of_source_is_understood(text, kind, target):
    spec = parse(text)

    assert (spec.kind, spec.target) == (kind, target)
    assert spec.is_live == (kind in (SourceKind.PICAMERA2, SourceKind.V4L2, SourceKind.STREAM))


def test_what_lies_on_the_disk_wins_over_what_it_looks_like(tmp_path):
    (tmp_path / "recordings.d").mkdir()
    (tmp_path / "noending").touch()
    (tmp_path / "day:1").touch()

    assert parse("recordings.d", tmp_path).kind is SourceKind.PICTURES
    assert parse("noending", tmp_path).kind is SourceKind.VIDEO
    assert parse("day:1", tmp_path).kind is SourceKind.VIDEO


def test_the_options_of_a_scene_are_read():
    spec = parse("synthetic:?width=640&height=360&objects=5&seconds=2.5&fps=12.5&seed=9")

    assert spec.scene == SceneOptions(width=640, height=360, objects=5, seconds=2.5, fps=12.5, seed=9)
    assert spec.redacted() == "synthetic:?width=640&height=360&objects=5&seconds=2.5&fps=12.5&seed=9"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "found nothing"),
        ("picamera:0", "did you mean picamera2:"),
        ("rstp://cam/live", "did you mean rtsp://"),
        ("ftp://cam/clip.mp4", "expected one of"),
        ("0", "did you mean picamera2:0 or /dev/video0"),
        ("webcam", "there is no file or folder /etc/edge/webcam"),
        ("synthetic", "there is no file or folder|did you mean synthetic"),
        ("picamera2:", "expected a camera number"),
        ("picamera2:first", "found 'first'"),
        ("v4l2:x", "expected a camera number"),
        ("rtsp://", "no host found"),
        ("rtsp:///live", "no host found"),
        ("rtsp://cam:99999/live", "port from 1 to 65535"),
        ("rtsp://cam/a b", "without spaces"),
        ("synthetic:10", "question mark"),
        ("synthetic:?colour=red", "expected options width, height"),
        ("synthetic:?sead=1", "did you mean seed"),
        ("synthetic:?width=wide", "whole number from 32 to 8192, found 'wide'"),
        ("synthetic:?width=1.5", "whole number"),
        ("synthetic:?fps=nan", "a number from"),
        ("synthetic:?objects=-1", "from 0 to 256"),
        ("synthetic:?seed=1&seed=2", "twice"),
        ("clip\0.mp4", "NUL"),
    ],
)
def test_wrong_text_says_what_is_accepted(text, hint):
    with pytest.raises(ConfigError, match=hint):
        parse(text)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://admin:secret@10.0.0.5/live", "rtsp://***@10.0.0.5/live"),
        ("rtsp://admin:p@ss/w0rd@10.0.0.5/live", "rtsp://***@10.0.0.5/live"),
        ("rtsp://cam/user=admin&password=secret&channel=1", "rtsp://cam/user=***&password=***&channel=1"),
        ("http://cam/v.mjpg?token=secret&w=1", "http://cam/v.mjpg?token=***&w=1"),
        ("rtsp://cam/live", "rtsp://cam/live"),
        ("/dev/video0", "/dev/video0"),
    ],
)
def test_credentials_never_show(url, shown):
    assert redacted(url) == shown
    assert parse(url).redacted() == shown
    assert "secret" not in repr(parse(url))


@pytest.mark.parametrize(
    "url", ["rtsp://u:secret@cam:0/x", "rtsp://u:secret@/x", "rtps://u:secret@cam/x", "rtsp://u:secret@c/a b"]
)
def test_credentials_do_not_show_in_refusals_either(url):
    with pytest.raises(ConfigError) as caught:
        parse(url)

    assert "secret" not in str(caught.value)


@given(st.text(max_size=60))
def test_any_text_is_understood_or_refused(text):
    with suppress(ConfigError):
        assert parse(text, Path("/nonexistent")).kind in SourceKind


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": (0, 480)},
        {"size": (20_000, 20_000)},
        {"fps": 0.0},
        {"fps": -1.0},
        {"read_timeout_s": 0.0},
        {"lores_size": (1, 0)},
    ],
)
def test_settings_that_can_not_be_are_refused(wrong):
    with pytest.raises(ConfigError, match=f"'yard': {next(iter(wrong))}"):
        SourceSettings("yard", **wrong)

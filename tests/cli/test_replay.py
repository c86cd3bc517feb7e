"""``edge replay`` as a person meets it."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.assemble.replay import assemble_replay
from edge.config.load import load_config
from tests.cli.command import PHOTOGRAPHS, edge

CONFIG = """\
cameras:
  yard:
    source: picamera2:0
    fps: 10
    thresholds: {default: 0.6}
    zones: {everywhere: [[0, 0], [1, 0], [1, 1], [0, 1]]}
    rules: {RULES}
  street:
    source: rtsp://camera.example/live
    fps: 10
"""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nothing for a while, then a motorcycle that stays: 30 frames at 10 frames/s."""
    folder = tmp_path_factory.mktemp("clip")
    photograph = cv2.imread(str(PHOTOGRAPHS / "motorcycle_left.png"))
    photograph = cv2.resize(photograph, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    for number in range(30):
        cv2.imwrite(str(folder / f"{number:02}.png"), photograph if number >= 5 else np.full_like(photograph, 114))
    return folder


def config(folder: Path, rules: str, name: str = "edge.yaml") -> Path:
    path = folder / name
    path.write_text(CONFIG.replace("RULES", rules), encoding="utf-8")
    return path


APPEAR = "something: {when: appear}"
STAYS = "stays: {when: dwell, zone: everywhere, seconds: 1}"


def test_events_are_json_lines_and_nothing_else_is_on_standard_output(clip: Path, tmp_path: Path) -> None:
    answer = edge("replay", clip, "--config", config(tmp_path, f"{APPEAR}, {STAYS}"))

    assert answer.code == 0
    events = answer.objects()
    assert [event["type"] for event in events] == ["track_start", "zone_enter", "dwell", "zone_exit", "track_end"]
    assert [event["seq"] for event in events] == [1, 2, 3, 4, 5]
    assert {(event["device"], event["camera"]) for event in events} == {("replay", "yard")}
    assert "30 frames, 5 events" in answer.err


def test_two_runs_are_the_same_to_the_byte_wherever_they_are_started(clip: Path, tmp_path: Path) -> None:
    here = edge("replay", clip, "--config", config(tmp_path, APPEAR))
    there = edge("replay", f"{clip}/../{clip.name}", "--config", config(tmp_path, APPEAR, "other.yaml"))

    assert here.out == there.out != ""


def test_events_can_go_into_a_file(clip: Path, tmp_path: Path) -> None:
    answer = edge("replay", clip, "--config", config(tmp_path, APPEAR), "--events", tmp_path / "events.jsonl")

    assert (answer.code, answer.out) == (0, "")
    lines = (tmp_path / "events.jsonl").read_text("utf-8").splitlines()
    assert json.loads(lines[0])["type"] == "track_start"


def test_a_start_decides_whether_a_schedule_holds(clip: Path, tmp_path: Path) -> None:
    night = config(tmp_path, 'at-night: {when: appear, schedule: "mon 22:00-06:00"}')

    def spoken(start: str) -> int:
        answer = edge("replay", clip, "--config", night, "--start", start)
        return sum(event["rule"] is not None for event in answer.objects())

    assert spoken("2026-01-05T23:00") == 1  # a Monday
    assert spoken("2026-01-06T05:59") == 1
    assert spoken("2026-01-06T12:00") == 0


def test_who_gives_no_start_is_told_which_one_is_taken(clip: Path, tmp_path: Path) -> None:
    answer = edge("replay", clip, "--config", config(tmp_path, 'r: {when: appear, schedule: "22:00-06:00"}'))

    assert "as if the recording began on 2026-01-01" in answer.err


def test_another_camera_s_settings_can_be_used(clip: Path, tmp_path: Path) -> None:
    answer = edge("replay", clip, "--config", config(tmp_path, APPEAR), "--camera", "street")

    assert {event["camera"] for event in answer.objects()} == {"street"}
    assert all(event["rule"] is None for event in answer.objects())


def test_the_difference_is_told_in_words(clip: Path, tmp_path: Path) -> None:
    before, after = config(tmp_path, APPEAR), config(tmp_path, STAYS, "after.yaml")

    answer = edge("replay", clip, "--config", before, "--against", after)

    assert answer.code == 1
    gone, new, counts = answer.out.splitlines()
    assert gone.startswith("-") and "alert something: track_start, vehicle" in gone  # noqa: PT018
    assert new.startswith("+") and "dwell_ms" in new  # noqa: PT018
    assert counts == ("1 no longer (-), 1 new (+), 0 told otherwise (~), 4 the same; alerts: 1 before, 1 now")


def test_no_difference_is_told_with_exit_code_0(clip: Path, tmp_path: Path) -> None:
    one = config(tmp_path, APPEAR)

    answer = edge("replay", clip, "--config", one, "--against", one, "--json")

    assert answer.code == 0
    assert answer.objects() == [{"same": 5, "gone": [], "new": [], "changed": [], "alerts": {"before": 1, "after": 1}}]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("nowhere.mp4", "found nothing there"),
        ("rtsp://camera.example/live", "a live source"),
        ("/dev/video0", "a live source"),
        ("synthetic:", "a scene that ends"),
        ("gibberish", "expected one of"),
    ],
)
def test_what_is_no_recording_is_refused(source: str, words: str, tmp_path: Path) -> None:
    answer = edge("replay", source, "--config", config(tmp_path, APPEAR))

    answer.assert_one_error(2, words)


def test_json_without_against_is_refused(clip: Path, tmp_path: Path) -> None:
    answer = edge("replay", clip, "--config", config(tmp_path, APPEAR), "--json")

    assert (answer.code, answer.out) == (2, "")
    assert "--against" in answer.err


def test_a_camera_with_a_motion_gate_is_replayed_through_it(clip: Path, tmp_path: Path) -> None:
    """What stands still for three seconds is looked at twice, and the same events are told for it."""
    gate = "\n    motion_gate: {enabled: true, keepalive_seconds: 60}\n    publish_detections: true"
    gated = config(tmp_path, APPEAR)
    gated.write_text(gated.read_text().replace("\n    fps: 10", "\n    fps: 10" + gate, 1))

    assembly = assemble_replay(load_config(gated), None, str(clip))
    told = [message.topic.rsplit("/", 1)[-1] for message in assembly.replay.messages()]

    assert told.count("event") >= 2
    assert told.count("detections") <= 4, "each look is told, what is held is not"
    assert assembly.replay.frames == 30


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Half a second of nothing."""
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (96, 64))
    for _ in range(5):
        writer.write(np.full((64, 96, 3), 114, np.uint8))
    writer.release()
    return path


@pytest.fixture
def without_pyav(tmp_path: Path) -> Path:
    (tmp_path / "hiding" / "av").mkdir(parents=True)
    (tmp_path / "hiding" / "av" / "__init__.py").write_text("raise ImportError('not here')\n")
    return tmp_path / "hiding"


def test_it_says_what_decoded_a_video(video: Path, tmp_path: Path) -> None:
    told = edge("replay", video, "--config", config(tmp_path, APPEAR))
    asked = edge("replay", video, "--config", config(tmp_path, APPEAR), "--decoder", "opencv")

    assert "the same pixels on every processor" in told.err
    assert "decoded by OpenCV" in asked.err


def test_without_the_exact_decoder_it_says_so_and_how_to_get_it(
    video: Path, tmp_path: Path, without_pyav: Path
) -> None:
    told = edge("replay", video, "--config", config(tmp_path, APPEAR), first_on_path=without_pyav)

    assert told.code == 0
    assert "pip install 'edge-detector[replay]'" in told.err


def test_who_wants_the_exact_decoder_gets_it_or_an_error(video: Path, tmp_path: Path, without_pyav: Path) -> None:
    settings = config(tmp_path, APPEAR)

    refused = edge("replay", video, "--config", settings, "--decoder", "exact", first_on_path=without_pyav)

    refused.assert_one_error(78, "--decoder exact", "pip install 'edge-detector[replay]'")


def test_it_says_what_computed_the_model(video: Path, tmp_path: Path) -> None:
    usual = edge("replay", video, "--config", config(tmp_path, APPEAR))
    fast = edge("replay", video, "--config", config(tmp_path, APPEAR), "--kernels", "fast")

    assert "computed as the service does, for this model the same on every processor" in usual.err
    assert "perhaps to other last digits: the fast kernels were asked for" in fast.err


@pytest.mark.shared
def test_a_model_that_needs_the_reference_kernels_says_so_first(video: Path, tmp_path: Path, shared: Path) -> None:
    settings = config(tmp_path, APPEAR)
    model = shared / "models" / "mobile_object_localizer_v1_uint8.tflite"
    settings.write_text(f"model: {model}\n{settings.read_text('utf-8')}", "utf-8")

    usual = edge("replay", video, "--config", settings)

    assert (usual.code, usual.out) == (0, "")
    assert "reference kernels: slow, the same on every processor" in usual.err.splitlines()[0]


@pytest.mark.shared
def test_two_models_that_compute_otherwise_are_both_told(video: Path, tmp_path: Path, shared: Path) -> None:
    one, other = config(tmp_path, APPEAR), config(tmp_path, APPEAR, "other.yaml")
    model = shared / "models" / "mobile_object_localizer_v1_uint8.tflite"
    other.write_text(f"model: {model}\n{other.read_text('utf-8')}", "utf-8")

    told = edge("replay", video, "--config", one, "--against", other)

    assert "for this model the same on every processor" in told.err
    assert "other.yaml: computed by the runtime's reference kernels" in told.err


def test_a_login_in_an_address_is_not_repeated(tmp_path: Path) -> None:
    answer = edge("replay", "rtsp://admin:canary@camera.example/live", "--config", config(tmp_path, APPEAR))

    assert answer.code == 2
    assert "canary" not in answer.err


def test_a_file_that_is_no_video_is_refused(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_text("no video")

    answer = edge("replay", tmp_path / "clip.mp4", "--config", config(tmp_path, APPEAR))

    answer.assert_one_error(78, "clip.mp4")


def test_an_unknown_camera_is_told_with_the_known_ones(clip: Path, tmp_path: Path) -> None:
    answer = edge("replay", clip, "--config", config(tmp_path, APPEAR), "--camera", "yrad")

    answer.assert_one_error(2, "yrad", "yard, street")


def test_a_broken_configuration_is_refused_before_anything_runs(clip: Path, tmp_path: Path) -> None:
    answer = edge("replay", clip, "--config", config(tmp_path, APPEAR), "--against", tmp_path / "none.yaml")

    answer.assert_one_error(78, "none.yaml")


def test_a_scene_of_one_s_own_needs_no_file() -> None:
    answer = edge("replay", "synthetic:?seconds=1&fps=5", "--config", "/dev/null/none.yaml")

    answer.assert_one_error(78, "none.yaml")

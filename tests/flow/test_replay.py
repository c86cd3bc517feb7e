"""Recordings through ``edge replay``: beside what a person saw, beside golden files, and beside themselves."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import pytest

from edge.assemble.kernels import Kernels
from edge.assemble.replay import VideoDecoder, assemble_replay
from edge.capture.exact_video import open_exact
from edge.config.load import load_config
from tests.flow.running import run_edge

pytestmark = pytest.mark.shared

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
MODEL = "ssd_mobilenet_v1_coco_uint8.tflite"
MODELS = ["edge-default", MODEL, pytest.param("yolov8n_full_integer_416.tflite", marks=pytest.mark.slow)]
Event = dict[str, Any]


def settings(folder: Path, name: str, shared: Path, model: str = MODEL, more: str = "") -> Path:
    """A copy of a golden configuration with the model and, if asked for, other words."""
    path = folder / f"{name}.yaml"
    chosen = str(shared / "models" / model) if model.endswith(".tflite") else model
    path.write_text(f"model: {chosen}\n{more}{(GOLDEN / f'{name}.yaml').read_text('utf-8')}", "utf-8")
    return path


Replayed = Callable[[str, str], list[Event]]


@pytest.fixture(scope="module")
def replayed(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Replayed:
    """The events of a clip with its golden settings and a model; each is run once."""

    @functools.cache
    def run(name: str, model: str) -> list[Event]:
        config = settings(tmp_path_factory.mktemp("replay"), name, shared, model)
        clip = shared / "data" / "video" / f"{name}.mp4"
        events = assemble_replay(load_config(config), None, str(clip), kernels=Kernels.FAST).events()
        return [json.loads(each.payload) for each in events]

    return run


# Made by looking at single frames of person-walk.mp4 (10 frames/s), where the middle of the visible body crosses half
# and three quarters of the picture's width, and where no more than a leg is left to see:
#   the woman comes up from below; her middle is left of half in frame 66 and right of it in 67; she stands at a table;
#   she walks off to the right, left of three quarters in 187 (just) and right of it in 188; 195 shows half of her.
#   the man: 233 and 234; stands; 438 and 439; 445 shows half of him.
SEEN = [
    ("zone_enter", "middle", 6.7),
    ("zone_enter", "right", 6.7),
    ("dwell", "middle", 8.7),  # two seconds
    ("zone_exit", "middle", 18.8),
    ("line_cross", "pillar", 18.8),
    ("zone_exit", "right", 19.5),
    ("zone_enter", "middle", 23.4),
    ("zone_enter", "right", 23.4),
    ("dwell", "middle", 25.4),
    ("zone_exit", "middle", 43.9),
    ("line_cross", "pillar", 43.9),
    ("zone_exit", "right", 44.5),
]
TOLERANCE_S = 0.301  # three frames, the third among them


@pytest.mark.parametrize("model", MODELS)
def test_persons_are_told_where_and_when_a_person_saw_them(model: str, replayed: Replayed) -> None:
    events = replayed("person-walk", model)

    found = [
        (each["type"], each["line"]["name"] if each["line"] else each["zones"][0], each["frame"]["sequence"] / 10)
        for each in events
        if each["type"] in ("zone_enter", "zone_exit", "dwell", "line_cross")
    ]
    expected = [(kind, place, pytest.approx(time_s, abs=TOLERANCE_S)) for kind, place, time_s in sorted(SEEN)]
    assert sorted(found) == expected
    tracks = [each["track"]["id"] for each in events if each["type"] == "track_start"]
    assert tracks == [1, 2]  # each person one track


@pytest.mark.parametrize("model", MODELS)
def test_a_car_park_from_above_alerts_about_no_person(model: str, replayed: Replayed) -> None:
    events = replayed("car-detection", model)

    assert [each for each in events if each["rule"] and each["rule"]["name"].startswith("person")] == []


@pytest.mark.parametrize("name", ["person-walk", "car-detection"])
def test_the_events_of_a_clip_are_those_of_its_golden_file(name: str, replayed: Replayed) -> None:
    """Made with ``edge replay CLIP --config tests/golden/NAME.yaml --kernels fast`` and read through by a person.

    This model's fast kernels may round a score differently on another processor, so scores and boxes have a tolerance;
    all else is exact.
    """
    golden = [json.loads(line) for line in (GOLDEN / f"{name}.jsonl").read_text("utf-8").splitlines()]

    events = replayed(name, MODEL)

    assert len(events) == len(golden)
    for found, expected in zip(events, golden, strict=True):
        assert found == near(expected)


@pytest.mark.parametrize("name", ["person-walk", "car-detection"])
def test_the_events_of_edge_s_own_model_are_the_same_to_the_byte_on_every_processor(
    name: str, shared: Path, tmp_path: Path
) -> None:
    """The same files are compared on an emulated Raspberry Pi: tools/arm64-replay."""
    config = load_config(settings(tmp_path, name, shared, "edge-default"))
    clip = str(shared / "data" / "video" / f"{name}.mp4")

    events = assemble_replay(config, None, clip, decoder=VideoDecoder.EXACT).events()

    golden = (GOLDEN / f"{name}.edge-default.jsonl").read_bytes()
    assert b"".join(each.payload + b"\n" for each in events) == golden


@pytest.mark.slow
def test_the_events_of_a_quantised_model_are_the_same_to_the_byte_on_every_processor(
    shared: Path, tmp_path: Path
) -> None:
    """Four seconds of car-detection.mp4, decoded exactly; compared on an emulated Raspberry Pi as well."""
    pictures = exact_pictures(shared / "data" / "video" / "car-detection.mp4", range(60, 110), tmp_path / "car")
    config = load_config(settings(tmp_path, "car-detection", shared, MODEL))

    events = assemble_replay(config, None, str(pictures), kernels=Kernels.EXACT).events()

    golden = (GOLDEN / "car-detection.exact.jsonl").read_bytes()
    assert b"".join(each.payload + b"\n" for each in events) == golden


def exact_pictures(clip: Path, numbers: range, folder: Path) -> Path:
    """Some frames of a clip as pictures whose bytes are the same on every processor."""
    folder.mkdir()
    video = open_exact(str(clip), 0, [])
    for number in range(numbers.stop):
        assert video.grab()
        if number in numbers:
            cv2.imwrite(str(folder / f"{number:03}.bmp"), video.retrieve()[1])
    return folder


def near(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: near(part, name) for name, part in value.items()}
    if isinstance(value, list):
        return [near(part, key) for part in value]
    if isinstance(value, float) or key in ("score", "top_score", "box", "value"):
        return pytest.approx(value, abs=0.02)
    return value


def test_a_replay_is_the_same_to_the_byte_in_every_process_and_with_any_number_of_threads(
    shared: Path, tmp_path: Path
) -> None:
    clip = shared / "data" / "video" / "person-walk.mp4"
    outputs = []
    for threads in (1, 2):
        config = settings(tmp_path, "person-walk", shared, "edge-default", more=f"threads: {threads}\n")
        done = run_edge("replay", str(clip), "--config", str(config), "--events", str(tmp_path / "events.jsonl"))
        assert done.returncode == 0, done.stderr
        outputs.append((tmp_path / "events.jsonl").read_bytes())

    assert len(set(outputs)) == 1
    assert len(outputs[0].splitlines()) > 10


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_replay_is_the_same_to_the_byte_a_hundred_times(shared: Path, tmp_path: Path) -> None:
    frames = tmp_path / "walk"
    frames.mkdir()
    video = cv2.VideoCapture(str(shared / "data" / "video" / "person-walk.mp4"))
    for number in range(90):
        picture = video.read()[1]
        if number >= 60:
            cv2.imwrite(str(frames / f"{number}.png"), picture)
    config = load_config(settings(tmp_path, "person-walk", shared, "edge-default"))

    outputs = {
        b"\n".join(message.payload for message in assemble_replay(config, None, str(frames)).events())
        for _ in range(100)
    }

    assert len(outputs) == 1
    assert outputs.pop().count(b"\n") >= 3


def test_the_difference_of_two_configurations_is_told_exactly(shared: Path, tmp_path: Path) -> None:
    clip = shared / "data" / "video" / "person-walk.mp4"
    before = settings(tmp_path, "person-walk", shared, "edge-default")
    after = tmp_path / "after.yaml"
    text = before.read_text("utf-8").replace("seconds: 2}", "seconds: 3}")
    text = re.sub(r"(?m)^ +someone: .*\n", "", text)
    after.write_text(text + "      crowd: {when: count, count: 1}\n", "utf-8")

    done = run_edge("replay", str(clip), "--config", str(before), "--against", str(after), "--json")

    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    assert [(each["type"], each["rule"]["name"]) for each in told["new"]] == [("count", "crowd")] * 2
    assert [(each["type"], each["rule"]["name"]) for each in told["gone"]] == [("track_start", "someone")] * 2
    assert [(each["after"]["rule"]["name"], each["facts"][-2:]) for each in told["changed"]] == [
        ("stays", ["time.monotonic_ms", "time.wall_ms"])
    ] * 2
    assert told["alerts"]["before"] == told["alerts"]["after"]


def test_the_same_configuration_makes_no_difference(shared: Path, tmp_path: Path) -> None:
    clip = shared / "data" / "video" / "car-detection.mp4"
    config = settings(tmp_path, "car-detection", shared, "edge-default")

    done = run_edge("replay", str(clip), "--config", str(config), "--against", str(config))

    assert (done.returncode, done.stdout.split(":")[0]) == (0, "no difference")

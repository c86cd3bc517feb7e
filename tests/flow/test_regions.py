"""A person far off in a wide picture: seen by the real program where regions look closer, and replayed the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import pytest

from tests.flow.running import run_edge, run_into_broker, write_config

pytestmark = [pytest.mark.shared, pytest.mark.slow, pytest.mark.broker]

FIRST, COUNT = 240, 60  # frames of the film in which one person walks
PERSON_PX, WIDE = (320, 180), (1600, 900)
LEFT, TOP = 900, 500
CAMERA = {"pace": "fast", "fps": 10, "labels": ["person"]}


@pytest.fixture
def pictures(shared: Path, tmp_path: Path) -> Path:
    """The film, small, in a wide and still picture."""
    film = cv2.VideoCapture(str(shared / "data" / "video" / "person-walk.mp4"))
    frames = [film.read()[1] for _ in range(FIRST + COUNT)]
    wide = cv2.resize(frames[0], WIDE)
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number, frame in enumerate(frames[FIRST:]):
        wide[TOP : TOP + PERSON_PX[1], LEFT : LEFT + PERSON_PX[0]] = cv2.resize(
            frame, PERSON_PX, interpolation=cv2.INTER_AREA
        )
        cv2.imwrite(str(folder / f"{number:03}.png"), wide)
    return folder


def camera_of(pictures: Path, **settings: Any) -> dict[str, Any]:
    return {"yard": CAMERA | {"source": str(pictures)} | settings}


def replayed(pictures: Path, folder: Path, *, kernels: str = "exact", **settings: Any) -> str:
    config = write_config(folder, {"cameras": camera_of(pictures, **settings)})
    done = run_edge("replay", str(pictures), "--config", str(config), "--kernels", kernels)
    assert done.returncode == 0, done.stderr
    return done.stdout


def story(events: list[dict[str, Any]]) -> list[tuple[str, int, list[float]]]:
    return [(event["type"], event["frame"]["sequence"], event["box"]) for event in events]


@pytest.mark.parametrize("gate", [False, True])
def test_who_is_too_far_off_for_the_whole_picture_is_seen_and_replayed_as_the_service_sees_him(
    pictures: Path, tmp_path: Path, gate: bool
) -> None:
    settings = {"regions": {"enabled": True}, "motion_gate": {"enabled": gate}}

    without = replayed(pictures, tmp_path)
    closer, again = (replayed(pictures, tmp_path, **settings) for _ in range(2))
    as_the_service = replayed(pictures, tmp_path, kernels="fast", **settings)
    run = run_into_broker(tmp_path, cameras=camera_of(pictures, **settings))

    events = [json.loads(line) for line in closer.splitlines()]
    assert without == ""
    assert closer == again
    assert [event["type"] for event in events] == ["track_start", "track_end"]
    left, top, right, bottom = events[0]["box"]
    assert LEFT - 4 <= left * WIDE[0] < right * WIDE[0] <= LEFT + PERSON_PX[0] + 4
    assert TOP - 4 <= top * WIDE[1] < bottom * WIDE[1] <= TOP + PERSON_PX[1] + 4
    assert run.exit_code == 0, run.stderr
    seen, expected = story(run.events()), story([json.loads(line) for line in as_the_service.splitlines()])
    assert [event[:2] for event in seen] == [event[:2] for event in expected]
    for (*_, box), (*_, other) in zip(seen, expected, strict=True):  # a model's process lost on the way forgets places
        assert box == pytest.approx(other, abs=0.02)

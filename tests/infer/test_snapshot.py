"""Pictures that may leave: nobody recognisable in them, and no larger than they may be."""

from __future__ import annotations

from datetime import UTC, datetime

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.values import Frame, as_detections
from edge.infer.album import Album
from edge.infer.snapshot import LARGEST_BYTES, encode, redact

NOISE = np.random.default_rng(1).integers(0, 256, (480, 640, 3), np.uint8)


def frame_of(sequence: int, image: np.ndarray = NOISE) -> Frame:
    return Frame(image, "yard", sequence, sequence * 100_000_000, datetime(2026, 1, 1, tzinfo=UTC))


def colours(part: np.ndarray) -> int:
    return len(np.unique(part.reshape(-1, 3), axis=0))


def test_inside_a_box_are_few_squares_and_outside_nothing_changes() -> None:
    hidden = redact(NOISE, [(200.0, 100.0, 300.0, 400.0)])

    assert colours(hidden[70:430, 190:310]) <= 40
    assert np.array_equal(hidden[:70], NOISE[:70])
    assert np.array_equal(hidden[:, 310:], NOISE[:, 310:])
    assert not np.array_equal(hidden[100:400, 200:300], NOISE[100:400, 200:300])


def test_a_box_reaches_a_tenth_further_on_each_side() -> None:
    hidden = redact(NOISE, [(200.0, 100.0, 300.0, 400.0)])

    assert colours(hidden[70:100, 190:310]) < 20
    assert colours(hidden[100:400, 190:200]) < 20


@given(st.tuples(*[st.floats(-2000, 2000)] * 4))
def test_any_box_is_hidden_as_far_as_it_is_in_the_picture(box: tuple[float, float, float, float]) -> None:
    assert redact(NOISE, [box]).shape == NOISE.shape


def test_a_box_that_is_none_hides_everything() -> None:
    assert colours(redact(NOISE, [(float("nan"), 0.0, 1.0, 1.0)])) <= 100


@pytest.mark.parametrize("size", [(480, 640), (2160, 3840), (3000, 100), (1, 1), (17, 4000)])
def test_a_picture_is_a_jpeg_of_bounded_size(size: tuple[int, int]) -> None:
    image = np.random.default_rng(2).integers(0, 256, (*size, 3), np.uint8)
    if max(size) < 16:
        with pytest.raises(ValueError, match="can't be made"):
            encode(image)
        return

    content = encode(image)

    shown = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert len(content) <= LARGEST_BYTES
    assert max(shown.shape[:2]) <= 960


def test_colours_are_those_of_the_frame() -> None:
    red = np.zeros((64, 64, 3), np.uint8)
    red[..., 0] = 255

    shown = cv2.imdecode(np.frombuffer(encode(red), np.uint8), cv2.IMREAD_COLOR)

    assert shown[32, 32, 2] > 250  # OpenCV reads blue first
    assert shown[32, 32, 0] < 5


def test_the_album_hides_what_was_found_and_what_it_is_told_of() -> None:
    album = Album({"yard": (0,)})
    album.keep(frame_of(7), as_detections([[0, 0, 100, 200], [400, 200, 600, 400]], [0.11, 0.9], [0, 1]))

    picture = album.picture("yard", 7, ((300.0, 300.0, 350.0, 450.0),))

    shown = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR).astype(float)
    assert shown[20:180, 10:90].std() < 30
    assert shown[310:440, 305:345].std() < 30
    assert shown[220:290, 420:580].std() > 40  # a class that may be seen


@pytest.mark.parametrize(("camera", "sequence"), [("yard", 3), ("yard", 99), ("shed", 5)])
def test_a_frame_that_is_gone_or_was_never_there_gives_no_picture(camera: str, sequence: int) -> None:
    album = Album({"yard": (0,)})
    for number in (3, 4, 5, 6):
        album.keep(frame_of(number), as_detections([[0, 0, 9, 9]], [0.9], [0]))

    assert album.picture(camera, sequence, ()) == b""
    assert album.picture("yard", 5, ())


def test_frames_without_a_thing_and_cameras_that_publish_nothing_are_not_kept() -> None:
    album = Album({"yard": (0,)})
    album.keep(frame_of(1), as_detections([], [], []))

    assert album.picture("yard", 1, ()) == b""


def test_a_kept_frame_is_a_copy() -> None:
    image = np.zeros((64, 64, 3), np.uint8)
    album = Album({"yard": ()})
    album.keep(frame_of(1, image), as_detections([[0, 0, 9, 9]], [0.9], [0]))
    image[:] = 255

    shown = cv2.imdecode(np.frombuffer(album.picture("yard", 1, ()), np.uint8), cv2.IMREAD_COLOR)

    assert shown.max() < 5

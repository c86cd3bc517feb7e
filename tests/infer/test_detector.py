"""Boxes and colours from the frame through the model's input and back, for every family and every shape of frame."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.clock import HandClock
from edge.core.geometry import pairwise_iou
from edge.core.model import Family, InputLayout
from edge.core.values import Detections, Tensor, as_detections
from edge.infer.decoding import make_decoder
from edge.infer.detector import Detector
from tests.builders import make_frame
from tests.fakes_infer import RectangleInterpreter, model_of
from tests.infer.layouts import make_layout
from tests.infer.test_decoders import make_layout_with

RED, GREEN, BLUE = np.eye(3, dtype=np.uint8) * 255
SIZES = {"16:9": (480, 270), "4:3": (400, 300), "1:1": (320, 320), "9:16": (270, 480)}
INPUTS = {
    "uint8": {"dtype": "uint8", "scale": 1 / 255},
    "int8": {"dtype": "int8", "scale": 1 / 255, "zero_point": -128},
    "float": {"dtype": "float32", "mean": (127.5,) * 3, "std": (127.5,) * 3},
    "int8, its own table": {"dtype": "int8", "scale": 0.02, "zero_point": 5, "mean": (124,) * 3, "std": (58,) * 3},
}


def detector_for(family: Family, *, resize="letterbox", into="uint8", axes="nhwc", dtype="float32", size=(256, 256)):
    if family is Family.BLAZEFACE:
        size = (128, 128)
    layout_input = InputLayout(name="image", width=size[0], height=size[1], resize=resize, axes=axes, **INPUTS[into])
    score_kind = "logit" if family is Family.BLAZEFACE else "probability"
    layout = make_layout(family, size=size, input=layout_input, dtype=dtype, score_kind=score_kind)
    return Detector(
        model_of(layout),
        RectangleInterpreter(layout),
        decoder=make_decoder(layout, threshold=0.5),
        clock=HandClock(),
    )


def scene(size, boxes, colours):
    image = np.full((size[1], size[0], 3), 114, np.uint8)
    for (x1, y1, x2, y2), colour in zip(boxes, colours, strict=True):
        image[y1:y2, x1:x2] = colour
    return image


def turned(image, boxes, quarters):
    """The picture and its boxes turned counter-clockwise by quarters."""
    for _ in range(quarters):
        width = image.shape[1]
        image = np.rot90(image)
        boxes = [(y1, width - x2, y2, width - x1) for x1, y1, x2, y2 in boxes]
    return np.ascontiguousarray(image), boxes


@pytest.mark.parametrize("quarters", [0, 1, 2, 3], ids=["0", "90", "180", "270"])
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
@pytest.mark.parametrize("resize", ["letterbox", "stretch"])
@pytest.mark.parametrize("family", list(Family))
def test_known_rectangles_are_found_where_they_are_with_their_colours(family, resize, size, quarters):
    width, height = size
    boxes = [
        (round(width * 0.03), round(height * 0.05), round(width * 0.45), round(height * 0.55)),
        (round(width * 0.52), round(height * 0.1), round(width * 0.97), round(height * 0.48)),
        (round(width * 0.3), round(height * 0.6), round(width * 0.8), round(height * 0.95)),
    ]
    image, truth = turned(scene(size, boxes, (RED, GREEN, BLUE)), boxes, quarters)

    found = detector_for(family, resize=resize).detect(make_frame(image))

    by_size_of_score = range(3)  # red scores highest, blue lowest
    classes = [0, 0, 0] if family is Family.BLAZEFACE else [0, 1, 2]
    assert found.class_ids.tolist() == classes
    overlaps = pairwise_iou(found.boxes, np.array(truth, np.float32))
    assert all(overlaps[i, i] >= 0.9 for i in by_size_of_score), overlaps


@settings(max_examples=60, deadline=None)
@given(
    family=st.sampled_from(sorted(Family)),
    resize=st.sampled_from(["letterbox", "stretch"]),
    into=st.sampled_from(sorted(INPUTS)),
    axes=st.sampled_from(["nhwc", "nchw"]),
    dtype=st.sampled_from(["float32", "int8", "uint8"]),
    width=st.integers(120, 500),
    height=st.integers(120, 500),
    places=st.tuples(*[st.floats(0, 1)] * 4),
    colour=st.integers(0, 2),
)
def test_any_rectangle_is_found_in_any_frame(family, resize, into, axes, dtype, width, height, places, colour):
    # At least half of each side: small things are a matter of the input's resolution, not of the arithmetic.
    x1, y1 = round(places[0] * width * 0.4), round(places[1] * height * 0.4)
    x2 = round(x1 + width * 0.5 + places[2] * (width * 0.5 - x1))
    y2 = round(y1 + height * 0.5 + places[3] * (height * 0.5 - y1))
    image = scene((width, height), [(x1, y1, x2, y2)], [np.eye(3, dtype=np.uint8)[colour] * 255])

    found = detector_for(family, resize=resize, into=into, axes=axes, dtype=dtype).detect(make_frame(image))

    assert found.class_ids.tolist() == [0 if family is Family.BLAZEFACE else colour]
    truth = np.array([[x1, y1, x2, y2]], np.float32)
    coarse = dtype != "float32" and family in (Family.LTRB, Family.SSD_RAW, Family.BLAZEFACE)
    assert pairwise_iou(found.boxes, truth)[0, 0] >= (0.85 if coarse else 0.9)


@pytest.mark.parametrize("size", [(1, 1), (3, 700), (700, 3), (2000, 1500)])
def test_odd_frames_are_no_trouble(size):
    image = np.full((size[1], size[0], 3), RED, np.uint8)

    found = detector_for(Family.YOLOV8).detect(make_frame(image))

    np.testing.assert_allclose(found.boxes, [[0, 0, *size]], atol=max(size) / 200)


class Fixed:
    """A decoder that answers always the same."""

    def __init__(self, boxes, scores):
        self._found = as_detections(boxes, scores, [0] * len(scores))

    def decode(self, outputs: tuple[Tensor, ...]) -> Detections:
        return self._found


def detector_answering(boxes, scores, *, clock=None):
    layout = make_layout(Family.LTRB, size=(64, 64))
    into = InputLayout(name="image", width=64, height=64, dtype="uint8", scale=1 / 255)
    layout = make_layout_with(layout, layout.outputs, input=into)
    model = model_of(layout)
    return Detector(model, RectangleInterpreter(layout), decoder=Fixed(boxes, scores), clock=clock or HandClock())


def test_boxes_in_the_padding_alone_vanish_and_others_are_cut_at_the_frame():
    # A 64 x 32 frame lies at rows 16 to 48 of the input.
    detector = detector_answering([[0, 0, 64, 10], [-20, 10, 30, 60], [10, 20, 20, 30]], [0.9, 0.8, 0.7])

    found = detector.detect(make_frame(size=(64, 32)))

    np.testing.assert_allclose(found.boxes, [[0, 0, 30, 32], [10, 4, 20, 14]], atol=1e-4)
    assert found.scores == pytest.approx([0.8, 0.7])


@settings(deadline=None)
@given(st.lists(st.tuples(*[st.floats(-1e6, 1e6, width=32)] * 4), max_size=8), st.integers(1, 300), st.integers(1, 300))
def test_no_box_ever_leaves_the_frame(boxes, width, height):
    detector = detector_answering(boxes, [0.5] * len(boxes))

    found = detector.detect(make_frame(size=(width, height)))

    assert (found.boxes >= 0).all()
    assert (found.boxes <= np.array([width, height, width, height])).all()
    assert (found.boxes[:, 2:] > found.boxes[:, :2]).all()


class SteppingClock(HandClock):
    """Each look at it moves it on by a millisecond."""

    def monotonic_ns(self) -> int:
        self.advance(0.001)
        return super().monotonic_ns()


def test_the_stages_of_the_newest_frame_are_timed():
    clock = SteppingClock(monotonic_ns=1_000_000_000)
    detector = detector_answering([], [], clock=clock)

    detector.detect(make_frame(at_s=0.9))

    times = detector.times
    assert (times.capture, times.preprocess, times.infer, times.decode) == (101.0, 1.0, 1.0, 1.0)


def test_a_recording_ahead_of_the_clock_has_no_negative_age():
    detector = detector_answering([], [])

    detector.detect(make_frame(at_s=5.0))

    assert detector.times.capture == 0.0


def test_warming_up_runs_the_model_and_leaves_no_times():
    detector = detector_answering([], [], clock=SteppingClock())

    detector.warm_up()

    assert detector.times.total == 0.0

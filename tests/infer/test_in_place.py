"""Pictures written straight into the runtime's input: the same numbers, whatever the runtime does with its arrays."""

from dataclasses import replace

import numpy as np
import pytest

from edge.core.clock import HandClock
from edge.core.model import InputLayout
from edge.infer.decoding import make_decoder
from edge.infer.detector import Detector
from edge.infer.golden import golden_picture
from edge.infer.interpreter import open_interpreter
from edge.infer.preprocess import Preprocessor
from edge.infer.runtime import Runtime, load_runtime
from tests.builders import make_frame
from tests.contracts.in_place_interpreter import InPlaceInterpreterContract
from tests.contracts.interpreter import InterpreterContract
from tests.infer.default_model import default_model
from tests.infer.test_preprocess import CASES, layout


class Spoiling:
    """A runtime's interpreter whose runs overwrite their input, as nothing forbids."""

    def __init__(self, **options):
        self._inside = load_runtime().interpreter_class(**options)

    def invoke(self):
        self._inside.invoke()
        self._inside.tensor(self._inside.get_input_details()[0]["index"])()[...] = 7

    def __getattr__(self, name):
        return getattr(self._inside, name)


def opened(runtime):
    return open_interpreter(default_model(), runtime, threads=1)


class TestLiteInterpreter(InterpreterContract, InPlaceInterpreterContract):
    @pytest.fixture
    def layout(self):
        return default_model().layout

    @pytest.fixture
    def interpreter(self):
        return opened(load_runtime())


class TestOneWhoseRunsSpoilTheirInput(InterpreterContract, InPlaceInterpreterContract):
    @pytest.fixture
    def layout(self):
        return default_model().layout

    @pytest.fixture
    def interpreter(self):
        return opened(Runtime("litert", "0", Spoiling, lambda *_: None))


@pytest.mark.parametrize("colours", ["rgb", "bgr"])
@pytest.mark.parametrize("axes", ["nhwc", "nchw"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_kept_array_gets_the_numbers_of_a_new_one_for_pictures_of_changing_sizes(case, axes, colours):
    facts = {name: getattr(case, name) for name in case.__struct_fields__}
    into = InputLayout(**facts | {"axes": axes, "colours": colours})
    preprocessor = Preprocessor(into)
    kept = np.zeros((1, 48, 64, 3) if axes == "nhwc" else (1, 3, 48, 64), into.dtype)
    random = np.random.default_rng(3)

    for width, height in [(64, 24), (64, 24), (30, 90), (64, 48), (200, 20), (64, 24)]:
        image = random.integers(0, 256, (height, width, 3), np.uint8)
        for resized in (None, preprocessor.shrink(image), image[:1, :1]):
            placement = preprocessor.fill(image, resized, into=kept)

            tensor, expected = Preprocessor(into).prepare(image)
            assert placement == expected
            np.testing.assert_array_equal(kept, tensor.values)


def test_shrinking_ahead_leaves_the_picture_alone():
    image = np.random.default_rng(2).integers(0, 256, (48, 64, 3), np.uint8)
    preprocessor = Preprocessor(layout(colours="bgr"))
    before = image.copy()

    small = preprocessor.shrink(image)
    preprocessor.fill(image, small, into=np.zeros((1, 48, 64, 3), np.uint8))

    np.testing.assert_array_equal(image, before)


def pictures():
    street = golden_picture(InputLayout(name="image", width=160, height=90, dtype="uint8", scale=1.0, zero_point=0))
    return [make_frame(np.roll(street, 40 * n, axis=1), sequence=n) for n in range(3)]


def detector():
    model = default_model()
    decoder = make_decoder(model.layout, threshold=0.004)
    return Detector(model, opened(load_runtime()), decoder=decoder, clock=HandClock())


def test_a_frame_made_small_and_run_ahead_is_seen_as_one_that_was_not():
    whole, ahead = detector(), detector()
    frames = [ahead.shrink(frame) for frame in pictures()]
    for frame in frames:
        ahead.start(frame)

    for frame, small in zip(pictures(), frames, strict=True):
        expected, found = whole.detect(frame), ahead.detect(small)
        assert len(found) > 0
        np.testing.assert_array_equal(found.boxes, expected.boxes)
        np.testing.assert_array_equal(found.scores, expected.scores)


def test_a_frame_that_was_run_and_never_asked_for_is_forgotten():
    ahead, frames = detector(), pictures()
    for frame in frames:
        ahead.start(frame)

    found = ahead.detect(frames[1])

    np.testing.assert_array_equal(found.scores, detector().detect(frames[1]).scores)


def test_stage_times_are_of_the_frame_that_was_read():
    clock = HandClock(monotonic_ns=5_000_000)
    model = default_model()
    ahead = Detector(model, opened(load_runtime()), decoder=make_decoder(model.layout, threshold=0.5), clock=clock)
    frame = make_frame(at_s=0.002)

    ahead.start(frame)
    clock.advance(1)
    ahead.detect(frame)

    assert (ahead.times.capture, ahead.times.infer, ahead.times.decode) == (3.0, 0.0, 0.0)


def test_asking_for_another_frame_forgets_none_that_is_on_its_way():
    ahead, (first, second, other) = detector(), pictures()
    ahead.start(first)
    ahead.start(second)

    ahead.detect(other)
    ahead.outputs_for(other.image)

    for frame in (first, second):
        np.testing.assert_array_equal(ahead.detect(frame).scores, detector().detect(frame).scores)


def test_raw_outputs_for_another_picture_leave_the_padding_of_the_next_frame_as_it_was():
    used, (first, second, _) = detector(), pictures()
    used.detect(first)

    used.outputs_for(np.full((200, 50, 3), 255, np.uint8))

    np.testing.assert_array_equal(used.detect(second).scores, detector().detect(second).scores)


def test_a_frame_whose_picture_was_made_small_alone_is_seen_as_the_whole_one() -> None:
    sees, expects = detector(), detector()

    for frame in pictures():
        small = sees.shrink(frame)
        found = sees.detect(replace(small, image=np.zeros_like(frame.image), is_blank=True))

        expected = expects.detect(frame)
        assert len(found) > 0
        np.testing.assert_array_equal(found.boxes, expected.boxes)
        np.testing.assert_array_equal(found.scores, expected.scores)


@pytest.mark.parametrize("is_in_place", [True, False])
def test_a_small_picture_made_for_another_model_is_used_where_there_is_no_other(is_in_place: bool) -> None:
    """After a rollback: its size is wrong, what it shows is not."""
    preprocessor = Preprocessor(layout())
    image = np.full((96, 128, 3), 77, np.uint8)
    small, blank = np.full((30, 40, 3), 77, np.uint8), np.zeros_like(image)
    values = np.zeros((1, 48, 64, 3), np.uint8)

    if is_in_place:
        placement = preprocessor.fill(blank, small, into=values, is_blank=True)
    else:
        tensor, placement = preprocessor.prepare(blank, small, is_blank=True)
        values = tensor.values

    expected, where = Preprocessor(layout()).prepare(image)
    assert placement == where
    np.testing.assert_array_equal(values, expected.values)

"""Sources around sources: turned, paced, throttled, repeated."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.capture.image_folder import ImageFolderSource
from edge.capture.looped import LoopedSource
from edge.capture.moments import RecordingTime
from edge.capture.oriented import OrientedSource
from edge.capture.paced import PacedSource
from edge.capture.pictures import write_picture
from edge.capture.scene import SceneOptions
from edge.capture.settings import SourceSettings
from edge.capture.stepped import SteppedSource
from edge.capture.synthetic import SyntheticSource
from edge.capture.throttled import ThrottledSource
from edge.core.clock import HandClock
from edge.core.errors import ConfigError, RecordingError
from edge.core.values import Frame
from tests.contracts.frame_source import FrameSourceContract, RecordingContract, read_all, rgb_areas

SETTINGS = SourceSettings("yard")


class Tape(SteppedSource):
    """A recording of frames at given milliseconds; counts the pictures it made."""

    def __init__(self, *times_ms: float, image: np.ndarray | None = None, clock: HandClock | None = None) -> None:
        self._times_ms = times_ms
        self._image = rgb_areas() if image is None else image
        self._time = RecordingTime(clock or HandClock())
        self._index: int | None = None
        self.pictures = 0

    def open(self) -> None:
        self._index = -1
        self._time.rewind()

    def step(self) -> int | None:
        if self._index is None:
            raise RecordingError("the tape is not open")
        if self._index + 1 >= len(self._times_ms):
            return None
        self._index += 1
        return self._moment().captured_ns

    def picture(self) -> Frame | None:
        self.pictures += 1
        moment = self._moment()
        return Frame(self._image.copy(), "yard", self._index, moment.captured_ns, moment.captured_at)

    def close(self) -> None:
        self._index = None

    def _moment(self):
        return self._time.at(round(self._times_ms[self._index] * 1e6))


class BrokenTape(Tape):
    def open(self) -> None:
        raise RecordingError("the tape is broken")


STEPS = [i * 100.0 for i in range(6)]


class TestLooped(FrameSourceContract):
    @pytest.fixture
    def source(self):
        return LoopedSource(Tape(0, 100, 200))

    @pytest.fixture
    def away(self):
        return LoopedSource(BrokenTape())


class TestThrottled(RecordingContract):
    @pytest.fixture
    def source(self):
        return ThrottledSource(Tape(*STEPS), 100)

    @pytest.fixture
    def away(self):
        return ThrottledSource(BrokenTape(), 1)


class TestPaced(RecordingContract):
    @pytest.fixture
    def source(self):
        clock = HandClock()
        return PacedSource(Tape(*STEPS, clock=clock), clock)

    @pytest.fixture
    def away(self):
        return PacedSource(BrokenTape(), HandClock())


class TestOriented(RecordingContract):
    @pytest.fixture(params=[0, 90, 180, 270])
    def source(self, request):
        # Turned back beforehand, so that upright areas come out.
        return OrientedSource(
            Tape(*STEPS, image=np.ascontiguousarray(np.rot90(rgb_areas(), request.param // 90))), request.param
        )

    @pytest.fixture
    def away(self):
        return OrientedSource(BrokenTape(), 90)


def test_a_quarter_turn_takes_the_top_left_corner_to_the_top_right():
    image = np.zeros((4, 6, 3), np.uint8)
    image[0, 0] = 255
    corners = {90: (0, 3), 180: (3, 5), 270: (5, 0)}
    for degrees, corner in corners.items():
        source = OrientedSource(Tape(0, image=image), degrees)
        source.open()

        turned = source.read().image

        assert turned[corner].tolist() == [255, 255, 255], degrees
        assert turned.sum() == 3 * 255


def test_another_angle_is_refused():
    with pytest.raises(ConfigError, match="one of 0, 90, 180, 270, found 45"):
        OrientedSource(Tape(0), 45)


def test_a_paced_recording_takes_its_own_time():
    clock = HandClock(monotonic_ns=10**9)
    source = PacedSource(Tape(0, 40, 500, clock=clock), clock)
    source.open()

    given_at = [(source.read(), clock.monotonic_ns())[1] for _ in range(3)]

    assert given_at == [1_000_000_000, 1_040_000_000, 1_500_000_000]


def test_late_frames_are_not_waited_for_and_not_left_out():
    clock = HandClock()
    source = PacedSource(Tape(0, 100, 200, 300, clock=clock), clock)
    source.open()
    source.read()
    clock.advance(0.25)  # the reader was busy

    given_at = [(source.read().sequence, clock.monotonic_ns() // 1_000_000) for _ in range(3)]

    assert given_at == [(1, 250), (2, 250), (3, 300)]


def test_a_throttled_source_keeps_the_mean_rate():
    tape = Tape(*[i * 40.0 for i in range(250)])  # ten seconds at 25 frames/s
    source = ThrottledSource(tape, 10)
    source.open()

    frames = read_all(source)

    assert [f.captured_ns // 1_000_000 for f in frames[:5]] == [0, 80, 200, 280, 400]
    assert len(frames) == 100


def test_pictures_of_skipped_frames_are_never_made():
    tape = Tape(*[i * 10.0 for i in range(100)])
    source = ThrottledSource(tape, 5)
    source.open()

    frames = read_all(source)

    assert tape.pictures == len(frames) == 5
    assert source.skipped == 95


@given(st.lists(st.floats(-8, 8), min_size=50, max_size=50))
def test_a_camera_that_jitters_around_the_asked_rate_is_not_halved(jitter):
    tape = Tape(*[100 + i * 100 + j for i, j in enumerate(jitter)], image=np.zeros((1, 1, 3), np.uint8))
    source = ThrottledSource(tape, 10)
    source.open()

    assert len(read_all(source)) >= 49


@given(st.lists(st.floats(1, 400), min_size=1, max_size=80), st.floats(1, 30))
def test_over_any_stretch_a_throttled_source_gives_no_more_than_asked(gaps, fps):
    tape = Tape(*itertools.accumulate(gaps), image=np.zeros((1, 1, 3), np.uint8))
    source = ThrottledSource(tape, fps)
    source.open()

    frames = read_all(source)

    seconds = (frames[-1].captured_ns - frames[0].captured_ns) / 1e9
    assert len(frames) <= seconds * fps + 1.3


def test_after_a_gap_missed_frames_are_not_made_up_for():
    source = ThrottledSource(Tape(0, 100, *[5000 + i * 10 for i in range(20)]), 10)
    source.open()

    assert [f.captured_ns // 1_000_000 for f in read_all(source)] == [0, 100, 5000, 5100]


def test_no_rate_is_refused():
    with pytest.raises(ConfigError, match="above 0"):
        ThrottledSource(Tape(0), 0)


def test_a_repeated_recording_goes_on_in_sequence_and_time():
    source = LoopedSource(Tape(0, 40, 80))
    source.open()

    frames = read_all(source, limit=8)

    assert [f.sequence for f in frames] == list(range(8))
    assert [f.captured_ns // 1_000_000 for f in frames] == [i * 40 for i in range(8)]
    assert [(f.captured_at - frames[0].captured_at).total_seconds() for f in frames] == [i * 0.04 for i in range(8)]


def test_a_repeated_picture_comes_at_the_cameras_rate(tmp_path):
    write_picture(tmp_path / "1.png", rgb_areas())
    source = LoopedSource(ImageFolderSource(tmp_path / "1.png", SETTINGS, HandClock()), fps=4)
    source.open()

    assert [f.captured_ns // 1_000_000 for f in read_all(source, limit=3)] == [0, 250, 500]


def test_a_repeated_paced_recording_keeps_real_time_over_its_seam():
    clock = HandClock()
    source = PacedSource(LoopedSource(Tape(0, 100, 200, clock=clock)), clock)
    source.open()

    given_at = [(source.read(), clock.monotonic_ns() // 1_000_000)[1] for _ in range(7)]

    assert given_at == [0, 100, 200, 300, 400, 500, 600]


def test_throttling_a_repeated_recording_keeps_the_sequence_of_its_source():
    source = ThrottledSource(LoopedSource(Tape(0, 100, 200, 300)), 5)
    source.open()

    assert [f.sequence for f in read_all(source, limit=5)] == [0, 2, 4, 6, 8]


def test_the_whole_tower_gives_what_was_asked():
    clock = HandClock()
    scene = SyntheticSource(SceneOptions(width=64, height=96, seconds=1, fps=20), SETTINGS, clock)
    source = OrientedSource(PacedSource(ThrottledSource(LoopedSource(scene), 10), clock), 90)
    source.open()

    frames = read_all(source, limit=30)

    assert [f.sequence for f in frames] == [i * 2 for i in range(30)]
    assert clock.monotonic_ns() == 2_900_000_000
    assert frames[0].image.shape == (64, 96, 3)

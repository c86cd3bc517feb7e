"""From pictures to a camera's condition: what is told, when, and what is not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.service.condition.sight import SightSettings
from edge.service.condition.trouble import Trouble
from tests.rooms import FPS, HEIGHT, WIDTH, Picture, Room, Watcher, frames

TOLD_WITHIN_S = 5.0


def many(make: Callable[[], Picture], seconds: float) -> Iterable[Picture]:
    return (make() for _ in range(frames(seconds)))


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
def watcher(room: Room) -> Watcher:
    """One that knows the room."""
    watcher = Watcher()
    watcher.learn(room)
    return watcher


@pytest.mark.parametrize(
    ("spoilt", "trouble"),
    [
        (Room.black, Trouble.BLACK),
        (Room.burnt_out, Trouble.OVEREXPOSED),
        (Room.covered, Trouble.COVERED),
    ],
)
def test_a_blinded_lens_is_told_within_five_seconds_and_healed_when_it_is_free(
    room: Room, watcher: Watcher, spoilt: Callable[[Room], Picture], trouble: Trouble
) -> None:
    begun_s = watcher.now_s

    told = list(watcher.watch(many(lambda: spoilt(room), 60)))
    freed_s = watcher.now_s
    healed = list(watcher.watch(many(room.seen, 5)))

    assert [each.troubles for each in told] == [(trouble,)]
    assert told[0].at_s - begun_s <= TOLD_WITHIN_S
    assert [each.troubles for each in healed] == [()]
    assert healed[0].at_s - freed_s <= 2


@pytest.mark.parametrize("blur", [1.2, 2.0, 4.0])
def test_a_lens_out_of_focus_is_told_and_healed(room: Room, watcher: Watcher, blur: float) -> None:
    told = list(watcher.watch(many(lambda: room.seen(blur=blur), 30)))
    healed = list(watcher.watch(many(room.seen, 5)))

    assert [each.troubles for each in (*told, *healed)] == [(Trouble.DEFOCUSED,), ()]


def test_frames_that_stay_the_same_are_told_within_three_seconds(room: Room, watcher: Watcher) -> None:
    picture, begun_s = room.seen(), watcher.now_s

    told = list(watcher.watch(many(lambda: picture, 10)))
    thawed = watcher.show(room.seen())

    assert [each.troubles for each in told] == [(Trouble.FROZEN,)]
    assert told[0].at_s - begun_s <= 3
    assert thawed == ()


def test_a_lens_covered_before_the_picture_froze_is_old_news(room: Room, watcher: Watcher) -> None:
    list(watcher.watch(many(room.covered, 10)))
    # something to see, so that identical pictures mean something
    picture = room.seen()

    told = list(watcher.watch(many(lambda: picture, 10)))

    assert told[-1].troubles == (Trouble.FROZEN,)


def test_a_recording_may_stand_still(room: Room) -> None:
    watcher, picture = Watcher(SightSettings(frozen_s=None)), room.seen()

    assert list(watcher.watch(many(lambda: picture, 60))) == []


def test_a_stream_whose_encoder_repeats_itself_until_the_next_key_frame_is_not_frozen(room: Room) -> None:
    """A denoised scene in which nothing moves: the same picture for four seconds, then a slightly other one."""
    watcher = Watcher(SightSettings(frozen_s=20.0))

    def pictures() -> Iterable[Picture]:
        for _ in range(15):
            picture = room.seen(noise=0.5)
            yield from (picture for _ in range(frames(4)))

    assert list(watcher.watch(pictures())) == []


def test_a_dark_room_without_noise_is_not_frozen() -> None:
    watcher = Watcher(SightSettings(frozen_s=2.5, lens=False))
    black = np.zeros((HEIGHT, WIDTH, 3), np.uint8)

    assert list(watcher.watch(black for _ in range(frames(30)))) == []


@pytest.mark.parametrize("darkest", [0.0, 0.1, 0.3])
def test_nightfall_and_daybreak_are_no_trouble(room: Room, watcher: Watcher, darkest: float) -> None:
    """Over five minutes each, with the noise that a sensor has at night; down to nothing at all."""
    steps = frames(300)
    evening = (room.seen(light=1 - (1 - darkest) * i / steps, noise=3 + 5 * i / steps) for i in range(steps))
    morning = (room.seen(light=darkest + (1 - darkest) * i / steps, noise=8 - 5 * i / steps) for i in range(steps))

    assert list(watcher.watch(evening)) == []
    assert list(watcher.watch(morning)) == []


@pytest.mark.parametrize("light", [0.1, 0.15, 0.3, 0.5, 1.5])
def test_lights_switched_off_and_on_are_no_trouble(room: Room, watcher: Watcher, light: float) -> None:
    def pictures() -> Iterable[Picture]:
        for _ in range(3):
            yield from many(lambda: room.seen(light=light, noise=5), 40)
            yield from many(room.seen, 40)

    assert list(watcher.watch(pictures())) == []


def test_a_picture_that_a_camera_has_smoothed_in_the_dark_is_no_trouble(room: Room, watcher: Watcher) -> None:
    assert list(watcher.watch(many(lambda: room.seen(light=0.25, noise=1, blur=0.8), 60))) == []


@pytest.mark.parametrize("seconds", [2, 4, 8])
def test_a_person_close_to_the_lens_is_no_trouble(room: Room, watcher: Watcher, seconds: float) -> None:
    count = frames(seconds)
    close = (room.with_person(0.5 + 0.4 * np.sin(i / 2), close=True) for i in range(count))

    assert list(watcher.watch(close)) == []
    assert list(watcher.watch(many(room.seen, 5))) == []


def test_people_who_pass_are_no_trouble(room: Room, watcher: Watcher) -> None:
    passing = (room.with_person((i / frames(10)) % 1) for i in range(frames(120)))

    assert list(watcher.watch(passing)) == []


def test_exposure_that_hunts_for_two_seconds_is_no_trouble(room: Room, watcher: Watcher) -> None:
    def pictures() -> Iterable[Picture]:
        for _ in range(5):
            yield from many(room.burnt_out, 2)
            yield from many(room.seen, 4)
            yield from many(room.black, 2)
            yield from many(room.seen, 4)

    assert list(watcher.watch(pictures())) == []


def test_a_clock_that_stands_still_and_pictures_that_can_not_be_read_are_told(room: Room, watcher: Watcher) -> None:
    for i in range(frames(4)):
        watcher.mishaps.misdated += 1
        watcher.mishaps.unreadable += i % 2
        troubles = watcher.show(room.seen())
    healed = list(watcher.watch(many(room.seen, 15)))

    assert troubles == (Trouble.UNREADABLE, Trouble.MISDATED)
    assert healed[-1].troubles == ()


def test_one_unreadable_frame_in_a_while_is_no_trouble(room: Room, watcher: Watcher) -> None:
    def pictures() -> Iterable[Picture]:
        for i in range(frames(60)):
            watcher.mishaps.unreadable += i % 25 == 0
            yield room.seen()

    assert list(watcher.watch(pictures())) == []


def test_pictures_of_another_size_are_judged_on(room: Room, watcher: Watcher) -> None:
    def turned() -> Picture:
        return np.ascontiguousarray(np.rot90(room.seen()))

    assert list(watcher.watch(many(turned, 20))) == []


@pytest.mark.shared
@pytest.mark.parametrize("clip", ["person-walk", "car-detection"])
def test_a_real_clip_shows_no_trouble(shared: Path, clip: str) -> None:
    """Three times over, with what a frozen picture would need switched on."""
    capture = cv2.VideoCapture(str(shared / "data" / "video" / f"{clip}.mp4"))
    fps = capture.get(cv2.CAP_PROP_FPS)
    pictures = []
    while (read := capture.read())[0]:
        pictures.append(cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB))
    watcher = Watcher(fps=fps)

    assert list(watcher.watch(pictures * 3)) == []
    assert fps > FPS

"""What holds for every scene."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.values import Detections, Track
from tests.track.scenes import Scene, detections_of, make_tracker, walkers

scenes = st.builds(
    walkers,
    st.integers(0, 10_000),
    fps=st.sampled_from([1.0, 3.0, 10.0, 25.0]),
    seconds=st.just(4.0),
    count=st.integers(1, 6),
    irregular=st.booleans(),
)
few = settings(max_examples=25, deadline=None)


def tell(scene: Scene, *, change=lambda detections, frame: detections, start_s: float = 0.0) -> list[tuple[Track, ...]]:
    tracker = make_tracker()
    return [
        tracker.update(
            change(detections_of(scene.found[scene.found[:, 0] == frame]), frame), round((start_s + time_s) * 1e9)
        )
        for frame, time_s in enumerate(scene.times_s, 1)
    ]


@few
@given(scenes)
def test_ids_count_up_and_never_come_back(scene):
    gone: set[int] = set()
    alive: set[int] = set()
    highest = 0
    for tracks in tell(scene):
        ids = [track.track_id for track in tracks]
        new = set(ids) - alive
        assert ids == sorted(set(ids))
        assert not new & gone
        assert all(track_id > highest for track_id in new)
        highest, gone, alive = max([highest, *ids]), gone | (alive - set(ids)), set(ids)


@few
@given(scenes)
def test_times_and_scores_of_a_track_are_in_order(scene):
    for time_s, tracks in zip(scene.times_s, tell(scene), strict=True):
        for track in tracks:
            assert 0 < track.first_seen_ns < track.last_seen_ns <= round(time_s * 1e9)
            assert 0.0 <= track.score <= track.top_score <= 1.0
            assert track.frames >= 2
            assert track.box.x2 > track.box.x1
            assert track.box.y2 > track.box.y1


@few
@given(scenes, st.integers(0, 1000))
def test_the_order_of_detections_does_not_matter(scene, seed):
    random = np.random.default_rng(seed)

    def shuffled(detections: Detections, frame: int) -> Detections:
        return detections.select(random.permutation(len(detections)))

    def outline(told):
        return [sorted((round(t.box.x1, 3), round(t.box.y1, 3), t.first_seen_ns) for t in tracks) for tracks in told]

    assert outline(tell(scene)) == outline(tell(scene, change=shuffled))


@few
@given(scenes, st.integers(-500, 500), st.integers(-500, 500))
def test_a_scene_moved_aside_gives_the_same_tracks_moved_aside(scene, dx, dy):
    shift = np.array([dx, dy, dx, dy], np.float32)

    def moved(detections: Detections, frame: int) -> Detections:
        return Detections(detections.boxes + shift, detections.scores, detections.class_ids)

    for here, there in zip(tell(scene), tell(scene, change=moved), strict=True):
        assert [t.track_id for t in here] == [t.track_id for t in there]
        for a, b in zip(here, there, strict=True):
            assert np.allclose([a.box.x1 + dx, a.box.y1 + dy], [b.box.x1, b.box.y1], atol=0.05)


@few
@given(scenes, st.floats(0, 1e6))
def test_it_does_not_matter_when_the_clock_began(scene, start_s):
    def names(told):
        return [[track.track_id for track in tracks] for tracks in told]

    assert names(tell(scene)) == names(tell(scene, start_s=round(start_s)))

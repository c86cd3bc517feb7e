"""How well it follows: a real sequence, and made-up ones beside a plain SORT."""

from __future__ import annotations

import numpy as np
import pytest

from edge.cli.mot_text import Row
from edge.cli.track import known_afterwards, known_at_once
from tests.mot_scoring import Score, read_mot, score_tracks
from tests.track import scenes


def campus(shared, tell) -> Score:
    folder = shared / "data" / "mot" / "TUD-Campus"
    found = read_mot(folder / "det.txt")
    rows = [Row(int(frame), int(who), *box) for frame, who, *box in found.tolist()]
    told = tell(rows, found[:, 6].astype(np.float32), fps=25.0, threshold=0.8)
    lines = [(r.frame, r.track_id, r.left, r.top, r.width, r.height, r.score) for r in told]
    return score_tracks(read_mot(folder / "gt.txt"), np.array(lines))


@pytest.mark.shared
def test_the_scorer_agrees_with_py_motmetrics(shared):
    folder = shared / "data" / "mot" / "TUD-Campus"

    score = score_tracks(read_mot(folder / "gt.txt"), read_mot(folder / "test.txt"))

    assert score.mota == pytest.approx(0.5265, abs=5e-5)
    assert score.idf1 == pytest.approx(0.5577, abs=5e-5)
    assert (score.switches, score.false_positives, score.misses) == (7, 13, 150)


@pytest.mark.shared
def test_tud_campus_is_followed_better_than_sort_and_norfair_do(shared):
    """SORT 0.627 / 0.606, norfair 0.563 / 0.670 (MOTA / IDF1)."""
    score = campus(shared, known_afterwards)

    assert score.mota >= 0.66
    assert score.idf1 >= 0.70


@pytest.mark.shared
def test_without_closing_gaps_tud_campus_keeps_its_names(shared):
    score = campus(shared, known_at_once)

    assert score.mota >= 0.64
    assert score.idf1 >= 0.70


@pytest.mark.parametrize("fps", [2.0, 5.0, 10.0, 25.0])
def test_made_up_walkers_are_followed_better_than_by_a_plain_sort(fps):
    ours, theirs = [], []
    for seed in range(4):
        scene = scenes.walkers(seed, fps=fps, irregular=seed % 2 == 1)
        ours.append(score_tracks(scene.truth, scenes.follow(scenes.make_tracker(), scene)))
        theirs.append(score_tracks(scene.truth, scenes.PlainSort().follow(scene, least_score=0.5)))

    assert np.mean([s.idf1 for s in ours]) > np.mean([s.idf1 for s in theirs]) + 0.03
    assert np.mean([s.mota for s in ours]) > np.mean([s.mota for s in theirs]) + 0.03

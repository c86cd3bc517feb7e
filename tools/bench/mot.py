"""Tracking quality on MOTChallenge sequences: MOTA, IDF1, id switches, beside SORT and norfair where they are at hand.

    python tools/bench/mot.py FOLDER... [--fps 25] [--every 1] [--sort sort.py]

Each FOLDER holds det.txt (or det/det.txt) and gt.txt (or gt/gt.txt); a seqinfo.ini beside them tells the frame rate.
``--every 5`` takes one frame in five.
norfair is used if it is installed, SORT if its published sort.py is given (both want their own libraries).
"""

from __future__ import annotations

import argparse
import configparser
import importlib.util
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from edge.cli.mot_text import Row, scores_to_unit
from edge.cli.track import known_afterwards, known_at_once, usual_threshold
from tests.mot_scoring import Rows, read_mot, score_tracks

# norfair's settings that are best on TUD-Campus; its default keeps things for 15 frames, and is worse.
NORFAIR = {"distance_function": "iou", "distance_threshold": 0.7, "hit_counter_max": 5}


def ours(found: Rows, fps: float, tell: Callable[..., Iterable[Row]]) -> Rows:
    rows = [Row(int(frame), int(who), *box) for frame, who, *box in found.tolist()]
    scores, _ = scores_to_unit(rows)
    told = tell(rows, scores, fps=fps, threshold=usual_threshold(scores))
    return np.array([(r.frame, r.track_id, r.left, r.top, r.width, r.height, r.score) for r in told]).reshape(-1, 7)


def by_norfair(found: Rows) -> Rows:
    import norfair

    tracker, rows = norfair.Tracker(**NORFAIR), []
    for frame in range(1, int(found[:, 0].max()) + 1):
        boxes = found[found[:, 0] == frame]
        seen = [norfair.Detection(np.array([box[2:4], box[2:4] + box[4:6]])) for box in boxes]
        rows += [(frame, o.id, *o.estimate[0], *(o.estimate[1] - o.estimate[0]), 1) for o in tracker.update(seen)]
    return np.array(rows, float).reshape(-1, 7)


def by_sort(found: Rows, path: Path, max_age: int) -> Rows:
    spec = importlib.util.spec_from_file_location("sort", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path}: no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    tracker, rows = module.Sort(max_age=max_age), []
    for frame in range(1, int(found[:, 0].max()) + 1):
        boxes = found[found[:, 0] == frame]
        seen = np.concatenate([boxes[:, 2:4], boxes[:, 2:4] + boxes[:, 4:6], boxes[:, 6:7]], axis=1)
        rows += [(frame, t[4], t[0], t[1], t[2] - t[0], t[3] - t[1], 1) for t in tracker.update(seen)]
    return np.array(rows, float).reshape(-1, 7)


def frame_rate(folder: Path, otherwise: float) -> float:
    facts = configparser.ConfigParser()
    facts.read(folder / "seqinfo.ini")
    return facts.getfloat("Sequence", "frameRate", fallback=otherwise)


def find(folder: Path, kind: str) -> Path:
    nested = folder / kind / f"{kind}.txt"
    return nested if nested.exists() else folder / f"{kind}.txt"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--fps", type=float, default=25.0)
    parser.add_argument("--sort", type=Path)
    parser.add_argument("--every", type=int, default=1)
    arguments = parser.parse_args()
    print(f"{'sequence':<18}{'fps':>6}  {'tracker':<18}{'MOTA':>8}{'IDF1':>8}{'switches':>10}")
    for folder in arguments.folders:
        found, truth = (thinned(read_mot(find(folder, kind)), arguments.every) for kind in ("det", "gt"))
        truth = truth[truth[:, 6] > 0]
        fps = frame_rate(folder, arguments.fps) / arguments.every
        for name, run in trackers(found, fps, arguments.sort).items():
            score = score_tracks(truth, run())
            print(f"{folder.name:<18}{fps:6.1f}  {name:<18}{score.mota:8.3f}{score.idf1:8.3f}{score.switches:10d}")


def trackers(found: Rows, fps: float, sort: Path | None) -> dict[str, Callable[[], Rows]]:
    """Ours and those at hand, by name."""
    every: dict[str, Callable[[], Rows]] = {
        "edge": lambda: ours(found, fps, known_afterwards),
        "edge --online": lambda: ours(found, fps, known_at_once),
    }
    if sort:
        every["SORT"] = lambda: by_sort(found, sort, 1)
        every["SORT max_age 5"] = lambda: by_sort(found, sort, 5)
    if importlib.util.find_spec("norfair"):
        every["norfair"] = lambda: by_norfair(found)
    return every


def thinned(rows: Rows, every: int) -> Rows:
    """One frame in so many, numbered anew."""
    kept = rows[(rows[:, 0] - 1) % every == 0].copy()
    kept[:, 0] = (kept[:, 0] - 1) // every + 1
    return kept


if __name__ == "__main__":
    main()

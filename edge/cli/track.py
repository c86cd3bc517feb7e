"""``edge track``: the tracker alone, over detections in a file, for measuring it with public tools."""

from __future__ import annotations

import itertools
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from operator import attrgetter
from pathlib import Path

import click
import msgspec
import numpy as np

from edge.cli.mot_smooth import smooth
from edge.cli.mot_text import Row, read_rows, scores_to_unit, to_detections
from edge.core.errors import RecordingError, UsageError
from edge.core.values import Detections, Track
from edge.track.settings import TrackerSettings, kept_score
from edge.track.tracker import Tracker

# One rule for every detector and frame rate (docs/measurements.md): the score that three quarters of the detections
# reach, for what one detector calls 0.6 another calls 0.9; but no higher than this.
_HIGHEST_THRESHOLD = 0.8
_WEAKER = 0.25
_LARGEST_BYTES = 512 * 1024 * 1024
# A gap this long between two good sightings of one thing is closed: half a second is what events promise.
_GAP_S = 0.5
# A good sighting has at least this share of the threshold.
_GOOD = 0.75
# Sums of scores are as exact as this.
_ROUNDING = 1e-3
# What was seen in fewer of its frames is doubtful, and its gaps stay open.
_LEAST_SEEN = 2 / 3


@click.command()
@click.argument("detections", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--fps", type=click.FloatRange(0.01, 1000), default=25.0, show_default=True, help="Frames a second.")
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    help="Score from which a detection may start a track; half of it continues one. "
    "Default: 0.8, or the score that three quarters of the detections reach, whichever is lower.",
)
@click.option("--online", is_flag=True, help="Write only what was known at each frame: close no gaps afterwards.")
@click.option("--out", type=click.Path(dir_okay=False), help="Write the tracks there instead of standard output.")
def track(detections: str, fps: float, threshold: float | None, online: bool, out: str | None) -> None:
    """Follow things through DETECTIONS, a file in MOTChallenge text format (- for standard input).

    Each line is frame,id,left,top,width,height,score,...; the answer has the same format with an id per thing and a
    line for each frame in which it was seen. Unless --online is given, what was known only afterwards is written too:
    where a thing was before it was believed, its way smoothed by what came after, and the straight line between two
    good sightings up to half a second apart; and what on the whole stayed below the threshold is left out.
    """
    rows = _read(detections)
    scores, own = scores_to_unit(rows)
    if not own:
        click.echo("edge track: scores outside 0..1 found; what counts is which part of all are weaker", err=True)
    if threshold is None:
        threshold = usual_threshold(scores)
    elif len(scores) and scores.max() < threshold:
        best = f"the best score is {scores.max():.2f}, below the threshold {threshold:g}"
        click.echo(f"edge track: {best}: nothing can start a track; lower --threshold", err=True)
    tell = known_at_once if online else known_afterwards
    followed = tell(rows, scores, fps=fps, threshold=threshold)
    _write(sorted(followed, key=attrgetter("frame", "track_id")), out)


Scores = np.ndarray[tuple[int], np.dtype[np.float32]]


def usual_threshold(scores: Scores) -> float:
    """The threshold where nobody names one."""
    if not len(scores):
        return _HIGHEST_THRESHOLD
    return min(_HIGHEST_THRESHOLD, float(np.quantile(scores, _WEAKER, method="lower")))


def known_at_once(rows: list[Row], scores: Scores, *, fps: float, threshold: float) -> Iterator[Row]:
    """The tracks seen in each frame, in the order of frames."""
    for frame, seen in _follow(rows, scores, fps=fps, threshold=threshold):
        yield from (_to_row(frame, track) for track in seen)


def known_afterwards(rows: list[Row], scores: Scores, *, fps: float, threshold: float) -> Iterator[Row]:
    """The same, with where each was before it was believed, smoothed, short gaps closed; in the order of frames."""
    told: list[Row] = []
    for frame, seen in _follow(rows, scores, fps=fps, threshold=threshold):
        for track in seen:
            told += [
                _to_row(
                    round(each.seen_ns * 1e-9 * fps), msgspec.structs.replace(track, box=each.box, score=each.score)
                )
                for each in track.before
            ]
        told += [_to_row(frame, track) for track in seen]
    told = _strong(told, threshold)
    told.sort(key=attrgetter("frame"))
    yield from close_gaps(smooth(told, fps), most=int(_GAP_S * fps), least_score=threshold * _GOOD)


def _follow(rows: list[Row], scores: Scores, *, fps: float, threshold: float) -> Iterator[tuple[int, list[Track]]]:
    """The number of each frame with detections, and the tracks seen in it."""
    settings = TrackerSettings(("object",), (threshold,))
    tracker = Tracker(settings)
    kept = scores >= kept_score(threshold)
    wanted = [(row, score) for row, score, keep in zip(rows, scores.tolist(), kept.tolist(), strict=True) if keep]
    wanted.sort(key=lambda pair: pair[0].frame)
    last = None
    for frame, group in itertools.groupby(wanted, key=lambda pair: pair[0].frame):
        for empty in _frames_between(last, frame, settings, fps):
            tracker.update(Detections.empty(), _time_ns(empty, fps))
        last = frame
        pairs = list(group)
        found = to_detections([row for row, _ in pairs], np.array([score for _, score in pairs], np.float32))
        now_ns = _time_ns(frame, fps)
        yield frame, [each for each in tracker.update(found, now_ns) if each.last_seen_ns == now_ns]


def _strong(told: list[Row], threshold: float) -> list[Row]:
    """Those of tracks whose sightings reach the threshold on average: clutter rarely does for long."""
    surplus: defaultdict[int, float] = defaultdict(float)
    for row in told:
        surplus[row.track_id] += row.score - threshold
    return [row for row in told if surplus[row.track_id] >= -_ROUNDING]


def close_gaps(rows: Iterable[Row], *, most: int, least_score: float) -> Iterator[Row]:
    """The rows, and straight lines through the gaps of tracks that were seen most of the time.

    A gap has up to ``most`` frames, and a good sighting at both ends.
    """
    rows = list(rows)
    steady = _steady(rows)
    newest: dict[int, Row] = {}
    for row in rows:
        before = newest.get(row.track_id)
        is_near = before is not None and row.frame - before.frame - 1 <= most
        if before is not None and is_near and row.track_id in steady and min(before.score, row.score) >= least_score:
            yield from (_between(before, row, frame) for frame in range(before.frame + 1, row.frame))
        newest[row.track_id] = row
        yield row


def _steady(rows: list[Row]) -> set[int]:
    """Tracks that were seen in most of the frames from their first to their last."""
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    seen: Counter[int] = Counter()
    for row in rows:
        first.setdefault(row.track_id, row.frame)
        last[row.track_id] = row.frame
        seen[row.track_id] += 1
    return {each for each, times in seen.items() if times >= _LEAST_SEEN * (last[each] - first[each] + 1)}


def _between(before: Row, after: Row, frame: int) -> Row:
    share = (frame - before.frame) / (after.frame - before.frame)

    def at(start: float, end: float) -> float:
        return start + (end - start) * share

    return Row(
        frame,
        before.track_id,
        at(before.left, after.left),
        at(before.top, after.top),
        at(before.width, after.width),
        at(before.height, after.height),
        at(before.score, after.score),
    )


def _frames_between(last: int | None, frame: int, settings: TrackerSettings, fps: float) -> range:
    """Frames without a detection; of a long pause only as many as it takes to lose everything."""
    if last is None:
        return range(0)
    enough = int(settings.lost_after_s_still * fps) + settings.lost_frames + 1
    return range(last + 1, min(frame, last + 1 + enough))


def _time_ns(frame: int, fps: float) -> int:
    return round(frame / fps * 1e9)


def _to_row(frame: int, seen: Track) -> Row:
    box = seen.box
    return Row(frame, seen.track_id, box.x1, box.y1, box.x2 - box.x1, box.y2 - box.y1, seen.score)


def _read(name: str) -> list[Row]:
    try:
        if name == "-":
            return list(read_rows(sys.stdin, "standard input"))
        path = Path(name)
        if path.stat().st_size > _LARGEST_BYTES:
            raise RecordingError(f"{name}: expected at most {_LARGEST_BYTES // 2**20} MiB of text; split the file")
        with path.open(encoding="utf-8") as lines:
            return list(read_rows(lines, name))
    except UnicodeDecodeError as error:
        raise RecordingError(f"{name}: expected MOTChallenge text, found bytes that are no text") from error
    except OSError as error:
        raise UsageError(f"{name}: can't be read: {error.strerror}") from error


def _write(rows: list[Row], out: str | None) -> None:
    text = "".join(row.text() for row in rows)
    if out is None:
        sys.stdout.write(text)
        return
    try:
        Path(out).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--out {out}: can't be written: {error.strerror}") from error

"""A model's quality on a labelled set, through the product's own path: picture -> detector -> COCO's figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge.capture.pictures import read_picture
from edge.core.errors import EdgeError, RecordingError
from edge.core.protocols import Clock
from edge.core.values import Detections, Frame
from edge.measure.annotations import Annotations, Picture
from edge.measure.classes import ClassMatch
from edge.measure.coco import Scores, score

Detect = Callable[[Frame], Detections]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A picture that could not be measured, and why."""

    file_name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was measured, on what.

    truth : the pictures that were measured, with their boxes
    paths : where each of them lies
    found : what the model saw in each of them
    seconds : reading the pictures and running the model; without the scoring
    """

    truth: Annotations
    paths: tuple[Path, ...]
    found: tuple[Detections, ...]
    classes: ClassMatch
    scores: Scores
    left_out: tuple[LeftOut, ...]
    seconds: float


def evaluate(
    truth: Annotations,
    classes: ClassMatch,
    *,
    folder: Path,
    detect: Detect,
    clock: Clock,
    on_picture: Callable[[], None],
) -> Evaluation:
    """Run the model over the pictures and score what it saw.

    Parameters
    ----------
    folder : where the pictures lie
    detect : what is measured; gets source frames, answers in source-frame pixels
    on_picture : called after each picture, for a progress bar

    Raises
    ------
    EdgeError
        If none of the pictures could be read. Those that can't be read are else left out, and named.
    """
    started_ns = clock.monotonic_ns()
    kept: list[tuple[int, Path, Detections]] = []
    left_out: list[LeftOut] = []
    for index, picture in enumerate(truth.pictures):
        try:
            path = _locate(folder, picture)
            frame = _read_frame(path, picture, sequence=index, clock=clock)
        except EdgeError as error:
            left_out.append(LeftOut(picture.file_name, str(error)))
        else:
            kept.append((index, path, detect(frame)))
        on_picture()
    if not kept:
        raise EdgeError(
            f"{folder}: none of the {len(truth.pictures)} pictures that the annotations name could be evaluated; "
            f"the first: {left_out[0].reason}"
        )
    seconds = (clock.monotonic_ns() - started_ns) / 1e9
    measured = truth.select([index for index, _, _ in kept])
    found = tuple(detections for _, _, detections in kept)
    scores = score(measured, classes.scored, found)
    return Evaluation(measured, tuple(path for _, path, _ in kept), found, classes, scores, tuple(left_out), seconds)


def _locate(folder: Path, picture: Picture) -> Path:
    """Some sets write the folder into the name: ``val2017/000000000139.jpg`` is looked for without it too."""
    path = folder / picture.file_name
    candidates = (path, folder / path.name)
    try:
        found = next((one for one in candidates if one.is_file()), None)
    except OSError as error:
        raise RecordingError(f"{path}: can't be read ({error.strerror})") from error
    if found is None:
        raise RecordingError(f"{path}: no such picture, though the annotations name it")
    return found


def _read_frame(path: Path, picture: Picture, *, sequence: int, clock: Clock) -> Frame:
    image = read_picture(path)
    frame = Frame(image, "picture", sequence, clock.monotonic_ns(), clock.utc_now())
    if picture.width and picture.height and (frame.width, frame.height) != (picture.width, picture.height):
        raise RecordingError(
            f"{path}: expected {picture.width} x {picture.height} pixels as the annotations say, "
            f"found {frame.width} x {frame.height}; was it scaled or turned?"
        )
    return frame

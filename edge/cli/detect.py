"""``edge detect``: what a model sees in pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, count
from pathlib import Path
from typing import Literal

import click
import msgspec

from edge.assemble.detector import open_detector
from edge.assemble.looks import Look, make_look
from edge.assemble.model import find
from edge.capture.image_folder import natural_order
from edge.capture.pictures import read_picture, write_picture
from edge.cli.options import boxes_option, model_option, path_kind, prepare_folder, threads_option, tiles_option
from edge.cli.path_text import path_text
from edge.core.clock import SystemClock
from edge.core.errors import EdgeError, RecordingError, UsageError
from edge.core.model import Model
from edge.core.values import Detections, Frame
from edge.report.drawing import draw_detections

# A picture whose name ends in something else is drawn as .jpg.
_DRAWN_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")


class SeenObject(msgspec.Struct, frozen=True):
    """box : x1, y1, x2, y2 in the picture's pixels"""

    label: str
    class_id: int
    score: float
    box: tuple[float, float, float, float]


class SeenPicture(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of ``--json``. drawn : where the picture with boxes is, with ``--draw``"""

    file: str
    width: int
    height: int
    model: str
    detections: list[SeenObject]
    drawn: str | None = None


@click.command()
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@model_option
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    help="Show what scores at least this; by default as the model's card says.",
)
@boxes_option
@tiles_option
@threads_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per picture.")
@click.option("--draw", type=click.Path(path_type=Path), help="Write the pictures with their boxes into this folder.")
def detect(
    *,
    images: tuple[Path, ...],
    model: str,
    threshold: float | None,
    boxes: Literal["graph", "raw"],
    tiles: str,
    threads: int,
    as_json: bool,
    draw: Path | None,
) -> int:
    """Detect objects in pictures, or in the pictures of folders."""
    paths = _expand(images)
    if draw is not None:
        prepare_folder(draw, "--draw")
    chosen = find(model)
    lowest = chosen.threshold if threshold is None else threshold
    detector = make_look(open_detector(chosen, threads=threads, threshold=lowest, boxes=boxes), tiles)
    broken = 0
    drawn = _drawn_paths(paths, draw)
    for sequence, path in enumerate(paths):
        try:
            seen = _look(detector, chosen, path, sequence=sequence, drawn=drawn[sequence])
        except EdgeError as error:
            click.echo(f"edge: {error}", err=True)
            broken += 1
        else:
            click.echo(msgspec.json.encode(seen) if as_json else _as_text(seen, lowest))
    return 1 if broken else 0


def _expand(images: Sequence[Path]) -> list[Path]:
    """Files as they are, folders as their pictures. Nothing is run when a path is wrong."""
    paths: list[Path] = []
    for path in images:
        kind = path_kind(path)
        if kind == "folder":
            paths.extend(_pictures_in(path))
        elif kind == "file":
            paths.append(path)
        else:
            raise UsageError(f"{path}: no such file or folder; expected a picture or a folder of pictures")
    return paths


def _pictures_in(folder: Path) -> list[Path]:
    try:
        return natural_order(folder)
    except RecordingError as error:  # on the command line it is the path that is wrong
        raise UsageError(str(error)) from error


def _look(detector: Look, model: Model, path: Path, *, sequence: int, drawn: Path | None) -> SeenPicture:
    image = read_picture(path)
    clock = SystemClock()
    frame = Frame(image, "picture", sequence, clock.monotonic_ns(), clock.utc_now())
    detections = detector.detect(frame)
    if drawn is not None:
        write_picture(drawn, draw_detections(image, detections, model.labels))
    return SeenPicture(
        file=path_text(path),
        width=frame.width,
        height=frame.height,
        model=model.name,
        detections=list(_objects(detections, model.labels)),
        drawn=None if drawn is None else path_text(drawn),
    )


def _drawn_paths(sources: Sequence[Path], folder: Path | None) -> list[Path | None]:
    """Each source's own name in the folder; a number is added where two are alike, and never over a source."""
    if folder is None:
        return [None] * len(sources)
    taken = {source.resolve() for source in sources}
    paths: list[Path | None] = []
    for source in sources:
        endings = chain([""], (f"-{number}" for number in count(2)))
        suffix = source.suffix if source.suffix.lower() in _DRAWN_SUFFIXES else ".jpg"
        names = (f"{source.stem}{ending}{suffix}" for ending in endings)
        path = next(path for name in names if (path := folder / name).resolve() not in taken)
        taken.add(path.resolve())
        paths.append(path)
    return paths


def _objects(detections: Detections, labels: Sequence[str]) -> Iterable[SeenObject]:
    for box, score, class_id in zip(
        detections.boxes.tolist(), detections.scores.tolist(), detections.class_ids.tolist(), strict=True
    ):
        x1, y1, x2, y2 = (round(value, 2) for value in box)
        yield SeenObject(labels[class_id], class_id, round(score, 4), (x1, y1, x2, y2))


def _as_text(seen: SeenPicture, threshold: float) -> str:
    lines = [f"{seen.file} ({seen.width} x {seen.height}), {seen.model}:"]
    if seen.detections:
        lines.append(f"  {'label':<20} {'score':>5}  box (x1, y1, x2, y2)")
    else:
        lines.append(f"  nothing scores {threshold:g} or more (--threshold shows less certain ones)")
    for one in seen.detections:
        corners = ", ".join(f"{value:.0f}" for value in one.box)
        lines.append(f"  {one.label:<20} {one.score:>5.2f}  {corners}")
    if seen.drawn:
        lines.append(f"  drawn: {seen.drawn}")
    return "\n".join(lines)

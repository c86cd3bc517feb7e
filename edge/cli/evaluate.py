"""``edge eval``: a model's quality on labelled pictures, through the product's own path."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import click
import msgspec
from rich.console import Console
from rich.progress import Progress

from edge.assemble.detector import open_detector
from edge.assemble.looks import make_look
from edge.assemble.model import find
from edge.cli.options import boxes_option, path_kind, prepare_folder, threads_option, tiles_option
from edge.core.clock import SystemClock
from edge.core.errors import UsageError
from edge.core.model import Family, Model
from edge.measure.annotations import Annotations, read_annotations
from edge.measure.classes import match_classes
from edge.measure.coco import require_pycocotools
from edge.measure.evaluation import Evaluation
from edge.measure.evaluation import evaluate as run_evaluation
from edge.measure.mistakes import find_mistakes, tally
from edge.measure.report import write_report
from edge.measure.summary import ClassFigures, Settings, Summary, summarise

# COCO's figures need the whole precision-recall curve, so nearly everything the model says is scored, every class of a
# candidate above the threshold included: the settings of Ultralytics' validation, with which YOLO models are published.
# Measured on a hundred pictures, the best class alone costs YOLOv8n 0.022 mAP and YOLO11n 0.029.
_QUALITY_THRESHOLD = 0.001
_YOLO_NMS_IOU = 0.7
_YOLO = (Family.YOLOV5, Family.YOLOV8, Family.YOLO_DFL)
_OWN_NMS = (Family.SSD_POSTPROCESS, Family.YOLO_END2END)
_QUALITY_MAX_BOXES = 300
_SHOWN_LABELS = 10


@click.command("eval")
@click.option("--model", required=True, help="A card's name (edge models list) or a .tflite file.")
@click.option("--images", required=True, type=click.Path(path_type=Path), help="The folder of pictures.")
@click.option("--annotations", required=True, type=click.Path(path_type=Path), help="Their labels: a COCO JSON file.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--report", type=click.Path(path_type=Path), help="Write figures and drawn mistakes into this folder.")
@boxes_option
@tiles_option
@threads_option
@click.option("--limit", type=click.IntRange(1), help="Only the first pictures of the set.")
@click.option("--threshold", type=click.FloatRange(0, 1), help="Leave out what scores less. [default: 0.001, SSD: 0]")
@click.option(
    "--nms-iou", type=click.FloatRange(0, 1), help="Overlap of one class. [default: YOLO: 0.7, else the card's]"
)
def evaluate(
    *,
    model: str,
    images: Path,
    annotations: Path,
    as_json: bool,
    report: Path | None,
    boxes: Literal["graph", "raw"],
    tiles: str,
    threads: int,
    limit: int | None,
    threshold: float | None,
    nms_iou: float | None,
) -> int:
    """Measure a model's mAP on labelled pictures, as COCO does."""
    require_pycocotools()
    truth = _read_set(images, annotations, limit)
    if report is not None:
        prepare_folder(report, "--report")
    chosen = find(model)
    settings = _settings(chosen, threshold=threshold, nms_iou=nms_iou, boxes=boxes, tiles=tiles)
    evaluation = _measure(chosen, truth, images, settings, threads=threads)
    mistakes = find_mistakes(
        evaluation.truth, evaluation.classes.scored, evaluation.found, threshold=settings.working_threshold
    )
    summary = summarise(evaluation, chosen, settings, tally(evaluation.classes.scored, mistakes))
    for one in summary.left_out:
        click.echo(f"edge: left out: {one.reason}", err=True)
    click.echo(msgspec.json.encode(summary) if as_json else _as_text(summary))
    if report is not None:
        files = write_report(report, summary, evaluation, mistakes)
        click.echo(f"report: {files[0]}", err=True)
    return 1 if summary.left_out else 0


def _read_set(images: Path, annotations: Path, limit: int | None) -> Annotations:
    found = path_kind(images)
    if found != "folder":
        raise UsageError(f"{images}: expected the folder of pictures (--images), found {found} there")
    truth = read_annotations(annotations)
    return truth if limit is None else truth.select(range(min(limit, len(truth.pictures))))


def _settings(
    model: Model, *, threshold: float | None, nms_iou: float | None, boxes: Literal["graph", "raw"], tiles: str
) -> Settings:
    """What is asked for; else what the figures of this family are published with."""
    family = model.layout.family
    # A graph with its own NMS has chosen its few boxes already: all of them are scored.
    own_nms = family in _OWN_NMS and boxes == "graph"
    floor = 0.0 if own_nms else _QUALITY_THRESHOLD
    # None: what the graph does, or would do.
    overlap = _YOLO_NMS_IOU if family in _YOLO else None if family in _OWN_NMS else model.layout.nms_iou
    return Settings(
        threshold=floor if threshold is None else threshold,
        nms_iou=None if own_nms else overlap if nms_iou is None else nms_iou,
        max_boxes=_QUALITY_MAX_BOXES,
        working_threshold=max(model.threshold, threshold or 0.0),
        boxes=boxes,
        tiles=tiles,
    )


def _measure(model: Model, truth: Annotations, images: Path, settings: Settings, *, threads: int) -> Evaluation:
    classes = match_classes(model.labels, model.groups, truth.categories)
    detector = open_detector(
        model,
        threads=threads,
        threshold=settings.threshold,
        nms_iou=settings.nms_iou,
        max_boxes=settings.max_boxes,
        multi_label=True,
        boxes=settings.boxes,
    )
    look = make_look(detector, settings.tiles)
    with _progress(model.name, len(truth.pictures)) as on_picture:
        return run_evaluation(
            truth, classes, folder=images, detect=look.detect, clock=SystemClock(), on_picture=on_picture
        )


@contextlib.contextmanager
def _progress(title: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar on a terminal; nothing in a pipe."""
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task(title, total=total)
        yield lambda: progress.advance(task)


def _as_text(summary: Summary) -> str:
    lines = [
        f"{summary.model} on {summary.images} pictures, {summary.seconds:.1f} s",
        f"  mAP@[.5:.95] {_figure(summary.map)}   AP50 {_figure(summary.ap50)}   AP75 {_figure(summary.ap75)}",
        "  by size:  " + "   ".join(f"{name} {_figure(one.map)}" for name, one in summary.slices.items()),
        "",
        f"  {'label':<20} {'AP':>6} {'AP50':>6} {'objects':>8} {'precision':>9} {'recall':>6}",
    ]
    most = sorted(summary.per_class.items(), key=lambda item: -item[1].objects)
    lines += [_class_line(label, row) for label, row in most[:_SHOWN_LABELS]]
    if len(most) > _SHOWN_LABELS:
        lines.append(f"  ... and {len(most) - _SHOWN_LABELS} labels with fewer objects (--json and --report have all)")
    lines.append(f"  precision and recall at score {summary.settings.working_threshold:g}, IoU 0.5")
    if summary.unknown_categories:
        lines.append(
            f"  {len(summary.unknown_categories)} categories of the set are unknown to the model: not measured"
        )
    return "\n".join(lines)


def _class_line(label: str, row: ClassFigures) -> str:
    return (
        f"  {label:<20} {row.ap:>6.3f} {row.ap50:>6.3f} {row.objects:>8} "
        f"{_figure(row.precision):>9} {_figure(row.recall):>6}"
    )


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"

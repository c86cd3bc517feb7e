"""An evaluation as a folder a person can read: report.md, report.json, per_class.csv and pictures of the mistakes."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from edge.capture.pictures import read_picture, write_picture
from edge.core.errors import UsageError
from edge.core.values import Detections
from edge.measure.evaluation import Evaluation
from edge.measure.mistakes import Marked, PictureMistakes
from edge.measure.summary import ClassFigures, SliceFigures, Summary
from edge.report.drawing import draw_detections

_PICTURES = 8  # enough to see a pattern, few enough to look at
_WORST = 10
_COLUMNS = ("label", "ap", "ap50", "objects", "precision", "recall")


def write_report(
    folder: Path, summary: Summary, evaluation: Evaluation, mistakes: Sequence[PictureMistakes]
) -> tuple[Path, ...]:
    """Write the folder; returns the files, report.md first.

    Raises
    ------
    UsageError
        If the folder can't be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        drawn = _draw_worst(folder / "mistakes", evaluation, mistakes)
        texts = {
            "report.md": _as_markdown(summary, drawn),
            "report.json": msgspec.json.format(msgspec.json.encode(summary), indent=2).decode() + "\n",
            "per_class.csv": _as_csv(summary),
        }
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{folder}: the report can't be written here ({error.strerror}); give another folder"
        ) from error
    return (*(folder / name for name in texts), *(path for path, _ in drawn))


def _draw_worst(
    folder: Path, evaluation: Evaluation, mistakes: Sequence[PictureMistakes]
) -> list[tuple[Path, PictureMistakes]]:
    """The pictures with the most mistakes, their false and missed boxes drawn."""
    worst = sorted((one for one in mistakes if one.count), key=lambda one: -one.count)[:_PICTURES]
    if worst:
        folder.mkdir(exist_ok=True)
    drawn = []
    for rank, one in enumerate(worst, start=1):
        source = evaluation.paths[one.picture]
        detections, labels = _as_detections(one)
        path = folder / f"{rank}-{source.stem}.jpg"
        write_picture(path, draw_detections(read_picture(source), detections, labels))
        drawn.append((path, one))
    return drawn


def _as_detections(one: PictureMistakes) -> tuple[Detections, list[str]]:
    groups: list[tuple[str, Marked]] = [("false", marked) for marked in one.false]
    groups += [("missed", marked) for marked in one.missed]
    labels = [f"{word} {marked.label}" for word, marked in groups]
    ids = np.repeat(np.arange(len(groups), dtype=np.int32), [len(marked.boxes) for _, marked in groups])
    scores = np.concatenate([marked.scores for _, marked in groups])
    detections = Detections(np.concatenate([marked.boxes for _, marked in groups]), scores, ids)
    return detections.select(np.argsort(-scores, kind="stable")), labels


def _as_csv(summary: Summary) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for label, row in summary.per_class.items():
        writer.writerow([label, *(_value(row, name) for name in _COLUMNS[1:])])
    return text.getvalue()


def _value(row: ClassFigures, name: str) -> object:
    value = getattr(row, name)
    return "" if value is None else value


def _as_markdown(summary: Summary, drawn: Sequence[tuple[Path, PictureMistakes]]) -> str:
    settings = summary.settings
    parts = [
        f"# {summary.model}: quality on {summary.images} pictures\n",
        _table(
            ("", "mAP@[.5:.95]", "AP50", "objects"),
            [
                ("all sizes", summary.map, summary.ap50, sum(row.objects for row in summary.per_class.values())),
                *((name, one.map, one.ap50, one.objects) for name, one in _sizes(summary)),
            ],
        ),
        _conditions(summary),
        f"Precision and recall below: at threshold {settings.working_threshold:g}, IoU 0.5.\n",
        f"## The weakest {min(_WORST, len(summary.per_class))} labels\n",
        _class_table(summary, _WORST),
        *_mistake_part(summary, drawn),
        "## All labels, weakest first\n",
        _class_table(summary, len(summary.per_class)),
        *_left_out_part(summary),
    ]
    return "\n".join(parts)


def _conditions(summary: Summary) -> str:
    settings = summary.settings
    nms = "NMS in the model" if settings.nms_iou is None else f"NMS at IoU {settings.nms_iou:g}"
    return (
        f"Up to 100 detections per picture and label; score from {settings.threshold:g}, {nms}, "
        f"at most {settings.max_boxes} boxes. {summary.seconds:.1f} s. "
        f"Model file sha256 `{summary.sha256}`.\n"
    )


def _sizes(summary: Summary) -> list[tuple[str, SliceFigures]]:
    words = {"small": "small (up to 32 x 32 px)", "medium": "medium (up to 96 x 96 px)", "large": "large"}
    return [(words.get(name, name), one) for name, one in summary.slices.items()]


def _class_table(summary: Summary, count: int) -> str:
    weakest = sorted(summary.per_class.items(), key=lambda item: (item[1].ap, -item[1].objects))[:count]
    rows = [(label, row.ap, row.ap50, row.objects, row.precision, row.recall) for label, row in weakest]
    return _table(_COLUMNS, rows)


def _mistake_part(summary: Summary, drawn: Sequence[tuple[Path, PictureMistakes]]) -> list[str]:
    if not drawn:
        return ["## Mistakes\n", f"None at threshold {summary.settings.working_threshold:g}.\n"]
    parts = [f"## The {len(drawn)} pictures with the most mistakes\n"]
    for path, one in drawn:
        false = sum(len(marked.boxes) for marked in one.false)
        missed = sum(len(marked.boxes) for marked in one.missed)
        parts.append(f"{path.stem}: {false} false, {missed} missed\n")
        parts.append(f"![{path.stem}](<{path.parent.name}/{path.name}>)\n")
    return parts


def _left_out_part(summary: Summary) -> list[str]:
    parts = []
    if summary.unknown_categories:
        names = ", ".join(summary.unknown_categories)
        parts.append(f"## Not measured\n\nIn the set, but not among the model's labels: {names}.\n")
    if summary.unscored_labels:
        names = ", ".join(summary.unscored_labels)
        parts.append(f"Among the model's labels, but not in the set: {names}.\n")
    if summary.left_out:
        lines = "\n".join(f"- {one.reason}" for one in summary.left_out)
        parts.append(f"Pictures left out:\n\n{lines}\n")
    return parts


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *([_cell(value) for value in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value).replace("|", "\\|")

"""What ``edge models`` prints: an inspection in words, and as JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from edge.catalog.bare import name_of
from edge.catalog.cards import ModelCard, write_card
from edge.catalog.inspector import Inspection
from edge.catalog.pull import draft_card
from edge.cli.path_text import path_text
from edge.core.model import Family, InputLayout, ModelLayout
from edge.core.plain_text import plain_text

_READ_AS = {
    Family.SSD_POSTPROCESS: "SSD or EfficientDet with suppression inside: boxes, classes, scores, count",
    Family.SSD_RAW: "raw SSD: encodings against anchors, suppression here",
    Family.YOLOV5: "YOLOv5: boxes, objectness and class scores in one output",
    Family.YOLOV8: "YOLOv8, 9 or 11: boxes and class scores, no objectness",
    Family.YOLO_DFL: "YOLO in two outputs: class scores and box distributions (DFL)",
    Family.YOLO_END2END: "end-to-end YOLO (v10, 26): finished boxes",
    Family.YOLOX: "YOLOX: boxes, objectness and class scores, anchor-free",
    Family.LTRB: "anchor-free distances to the four sides (our own)",
    Family.BLAZEFACE: "BlazeFace: faces against anchors",
}
# The families whose boxes come in either unit.
_WITH_UNITS = {Family.SSD_POSTPROCESS, Family.YOLOV5, Family.YOLOV8, Family.YOLO_END2END, Family.YOLOX}
_UNITS = {"normalised": "0..1 of the input", "pixels": "input pixels"}


def card_line(card: ModelCard, *, here: bool) -> str:
    state = "here" if here else "pull"
    return f"{card.name:32} {state:5} {card.licence:12} {card.summary}"


def inspection_json(found: Inspection) -> dict[str, Any]:
    """The keys that scripts rely on first (interface); more after them."""
    taken, layout = found.input, found.layout
    return {
        "file": path_text(found.path),
        "sha256": found.sha256 or None,
        "family": found.family.value if found.family else None,
        "input": _input_json(taken) if taken else None,
        "labels": list(found.labels),
        "backend": found.backend,
        "usable": found.usable,
        "reason": found.reason or None,
        "labels_from": found.labels_from or None,
        "bytes": found.bytes,
        "description": found.description,
        "licence": found.licence or None,
        "runtime": found.runtime or None,
        "notes": found.notes,
        "operators": found.operators,
        "outputs": found.outputs,
        "layout": _layout_json(layout) if layout else None,
    }


def inspection_text(found: Inspection) -> str:
    """For people: what it is, how it is run, and the drafted card."""
    lines = [f"{path_text(found.path)}: {'usable' if found.usable else 'NOT usable'}"]
    if found.reason:
        lines.append(f"  reason      {found.reason}")
    lines += _facts(found)
    if found.layout is not None:
        lines += _reading(found, found.layout)
    lines += [f"  note        {note}" for note in found.notes]
    if found.usable:
        lines += ["", "# card", *write_card(draft_card(found, name=name_of(found.path))).splitlines()]
    return "\n".join(plain_text(line) for line in lines).rstrip()


def _facts(found: Inspection) -> list[str]:
    operators = ", ".join(f"{name} x{count}" for name, count in list(found.operators.items())[:12])
    facts = {
        "sha256": found.sha256,
        "size": f"{found.bytes} bytes" if found.bytes else "",
        "describes": found.description,
        "licence": found.licence,
        "runs on": {"cpu": "CPU", "edgetpu": "Edge TPU"}[found.backend] if found.sha256 else "",
        "tried with": found.runtime,
        "operators": operators,
        "outputs": "; ".join(found.outputs),
    }
    return [f"  {name:11} {text}" for name, text in facts.items() if text]


def _reading(found: Inspection, layout: ModelLayout) -> list[str]:
    taken = layout.input
    shown = ", ".join(found.labels[:8]) + (", ..." if len(found.labels) > 8 else "")
    stored = f", scale {taken.scale:.6g}, zero point {taken.zero_point}" if taken.scale else ""
    pixels = f"(pixel - {_three(taken.mean)}) / {_three(taken.std)}"
    padded = f", padded with {taken.pad}" if taken.resize == "letterbox" else ""
    roles = ", ".join(f"{role} = output {view.index} {view.name!r}" for role, view in layout.outputs.items())
    boxes = f", boxes in {_UNITS[layout.box_units]}" if layout.family in _WITH_UNITS else ""
    return [
        f"  family      {layout.family}: {_READ_AS[layout.family]}",
        f"  input       {taken.width}x{taken.height} {taken.dtype}{stored}, {taken.axes}",
        f"  picture     {taken.colours.upper()}, {taken.resize}{padded}; {pixels}",
        f"  decoder     {roles}; scores as {layout.score_kind}{boxes}",
        f"  labels      {layout.classes} from {found.labels_from}: {shown}",
    ]


def _three(values: tuple[float, float, float]) -> str:
    return f"{values[0]:g}" if len(set(values)) == 1 else "[" + ", ".join(f"{value:g}" for value in values) + "]"


def _input_json(taken: InputLayout) -> dict[str, Any]:
    return {
        "width": taken.width,
        "height": taken.height,
        "dtype": taken.dtype,
        "scale": taken.scale,
        "zero_point": taken.zero_point,
        "name": taken.name,
        "axes": taken.axes,
        "colours": taken.colours,
        "resize": taken.resize,
        "mean": list(taken.mean),
        "std": list(taken.std),
    }


def _layout_json(layout: ModelLayout) -> dict[str, Any]:
    content: dict[str, Any] = msgspec.to_builtins(layout)
    return content

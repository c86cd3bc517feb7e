"""Label lists: one name per class, in the classes' order."""

from __future__ import annotations

import re
from pathlib import Path

from edge.catalog.content import unread
from edge.core.errors import ModelError
from edge.core.shared_files import shared_folder

UNUSED = "???"  # marks a slot of the class axis that no class uses (COCO's 90 ids have 10 such holes)
_BACKGROUND = {"???", "background", "__background__", "_background_", "none", "bg", "unlabeled", "unlabelled"}
_MAX_BYTES = 4 * 1024 * 1024
MAX_LABELS = 100_000  # the largest list in use has 21,000
_NUMBERED = re.compile(r"\s*(\d{1,5})\s*[:,\s]\s*(\S.*)")


def parse_labels(text: str) -> tuple[str, ...]:
    """Labels from text: one a line, or ``NUMBER label`` lines, which may leave numbers out.

    Blank lines at the end go; a blank line between two labels is a slot that no class uses.
    """
    lines = [line.strip() for line in text.removeprefix("\ufeff").splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    numbered = _by_number(lines)
    return numbered or tuple(line or UNUSED for line in lines[:MAX_LABELS])


def _by_number(lines: list[str]) -> tuple[str, ...]:
    """Coral's form, "0  person": taken only if every line has a number, and they rise from 0 or 1."""
    matches = [_NUMBERED.fullmatch(line) for line in lines if line]
    if len(matches) < 2 or not all(matches):
        return ()
    pairs = [(int(match[1]), match[2].strip()) for match in matches if match]
    numbers = [number for number, _ in pairs]
    if numbers != sorted(set(numbers)) or numbers[0] > 1:
        return ()
    labels = [UNUSED] * (numbers[-1] + 1)
    for number, label in pairs:
        labels[number] = label
    return tuple(labels)


def read_labels(path: Path) -> tuple[str, ...]:
    """Labels from a file.

    Raises
    ------
    ModelError
        If it is missing, too large, not UTF-8 or empty.
    """
    try:
        size = path.stat().st_size
        if size > _MAX_BYTES:
            raise ModelError(
                f"{path}: {size} bytes, more than the {_MAX_BYTES} allowed for labels; is it a label file?"
            )
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ModelError(f"{path}: expected UTF-8 text with one label per line, found other bytes ({error})") from error
    except OSError as error:
        raise unread(f"{path}: the label file cannot be read", error) from error
    if "\0" in text:
        raise ModelError(f"{path}: expected text with one label per line, found binary data")
    labels = parse_labels(text)
    if not labels:
        raise ModelError(f"{path}: expected one label per line, found an empty file")
    return labels


def known_labels(classes: int) -> tuple[tuple[str, ...], str]:
    """The well-known list with this many classes and its name; ((), "") if there is none."""
    name = {80: "coco-80", 90: "coco-ssd-90"}.get(classes, "")
    return (read_labels(shared_folder("models") / "labels" / f"{name}.txt"), name) if name else ((), "")


def without_background(labels: tuple[str, ...]) -> tuple[str, ...]:
    """The labels of the classes alone: a first line that names the background, or nothing, is none."""
    return labels[1:] if len(labels) > 1 and labels[0].strip().lower() in _BACKGROUND else labels


def fit_labels(labels: tuple[str, ...], classes: int, *, origin: str) -> tuple[str, ...]:
    """The labels for this many classes; a list with a line for the background in front loses that line.

    Raises
    ------
    ModelError
        If the counts differ otherwise.
    """
    if len(labels) == classes + 1:
        labels = without_background(labels)
    if len(labels) < classes and _is_holed(labels, classes):
        labels = labels + (UNUSED,) * (classes - len(labels))
    if len(labels) != classes:
        raise ModelError(
            f"the model's outputs hold {classes} classes, but {origin} has {len(labels)} labels; every label would be "
            "off. Give the list that belongs to this model with --labels FILE"
        )
    return labels


def _is_holed(labels: tuple[str, ...], classes: int) -> bool:
    """A numbered list with holes in the middle may stop before the axis does."""
    return UNUSED in labels[1:] and classes - len(labels) <= labels.count(UNUSED)

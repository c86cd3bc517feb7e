"""The model card and the data card, written from what was measured; people fill in what no program knows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import yaml

from edge.catalog.inspector import inspect_file
from edge.catalog.pull import draft_card, save_card
from edge.catalog.trial import ChildTrial
from edge.core.errors import ConfigError
from tools.training.classes import ClassPlan
from tools.training.dataset import is_doubtful, is_forgotten
from tools.training.describing import Figures, Level, table_of

_WATT_HOURS_DIGITS = 1


@dataclass(frozen=True, slots=True)
class Source:
    """Where pictures come from. licence : of pictures and labels, in words; shipped : whether any is in the product."""

    name: str
    origin: str
    licence: str


def read_sources(path: Path) -> dict[str, Source]:
    """A YAML mapping: source name -> {origin, licence}. Raises ConfigError."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return {name: Source(name, str(one["origin"]), str(one["licence"])) for name, one in content.items()}
    except (OSError, yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
        raise ConfigError(f"{path}: expected a mapping of source: {{origin, licence}}; {error!r}") from error


def data_card(content: dict[str, Any], sources: dict[str, Source], *, held_out: int) -> str:
    """What was trained on, by source, in Markdown. Raises ConfigError for a source without origin and licence."""
    pictures = Counter(one.get("source", "") for one in content["images"])
    unknown = sorted(set(pictures) - set(sources))
    if unknown:
        raise ConfigError(f"the sources {unknown} of the set are not described; give origin and licence (--sources)")
    place = {one["id"]: one.get("source", "") for one in content["images"]}
    names = {one["id"]: one["name"] for one in content["categories"]}
    people, machine, unsure = defaultdict[str, Counter[str]](Counter), Counter[str](), Counter[str]()
    for one in content["annotations"]:
        source = place[one["image_id"]]
        if "score" not in one:
            people[source][names[one["category_id"]]] += 1
        elif not is_forgotten(one):
            (unsure if is_doubtful(one) else machine)[source] += 1
    lines = [
        "# Data card",
        "",
        "No picture is part of the product or of its repository.",
        "",
        "| source | pictures | boxes by people | by the teacher | ignored, unsure | origin | licence |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for source, count in pictures.most_common():
        by_people = ", ".join(f"{name} {n}" for name, n in people[source].most_common()) or "-"
        known = sources[source]
        counts = f"{count} | {by_people} | {machine[source]} | {unsure[source]}"
        lines.append(f"| {source} | {counts} | {known.origin} | {known.licence} |")
    told = content.get("info", {}).get("teacher")
    teacher = "; ".join(told) if isinstance(told, list) else told
    lines += ["", f"Teacher: {teacher}." if teacher else "Teacher: none, or not told in the file."]
    lines += [
        f"Held out for curves and thresholds: {held_out} % of the recordings and pictures, by a hash of their names."
    ]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class Training:
    """How it was trained. watts : of the whole machine, estimated or measured; None = unknown.

    descent : what its weights started from, and under which licence; "" = from nothing
    """

    machine: str
    seen: int
    seconds: float
    watts: float | None
    descent: str = ""

    @property
    def text(self) -> str:
        energy = (
            ""
            if self.watts is None
            else (f", about {self.watts * self.seconds / 3600:.{_WATT_HOURS_DIGITS}f} Wh at {self.watts:g} W")
        )
        return f"{self.seen:,} augmented pictures in {self.seconds / 60:.1f} minutes on {self.machine}{energy}."


def model_card(
    name: str,
    *,
    training: Training,
    agreement: dict[str, float],
    figures: Mapping[str, Sequence[Figures]],
    levels: Mapping[str, Sequence[Level]],
    threshold: float,
    limits: Sequence[str],
) -> str:
    """The card in Markdown. figures, levels: by set and by class; failures are drawn beside it, not inside."""
    parts = [f"# {name}", "", "Intended use: a fixed camera that tells of people and vehicles near it.", ""]
    parts += [f"Weights: {training.descent or 'from nothing'}.", ""]
    parts += [f"Training: {training.text}", "", f"Threshold: {threshold:g}, chosen on the held-out pictures.", ""]
    for place, rows in figures.items():
        parts += [f"## {place}", "", table_of(rows)]
    parts += ["## Held out, by threshold", "", "| class | threshold | precision | recall | false boxes a picture |"]
    parts += ["| --- | --- | --- | --- | --- |"]
    parts += [_level_line(label, one) for label, rows_ in levels.items() for one in rows_]
    parts += ["", "## int8 against float", "", *(f"- {key}: {value:g}" for key, value in agreement.items())]
    parts += [
        "",
        "## Limits",
        "",
        *(f"- {one}" for one in limits or ("to be filled in after looking at failures.png",)),
    ]
    return "\n".join(parts) + "\n"


def _level_line(label: str, one: Level) -> str:
    figures = f"{_text(one.precision)} | {_text(one.recall)} | {one.wrong_a_picture:.3f}"
    return f"| {label} | {one.threshold:.2f} | {figures} |"


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def quality_of(figures: Mapping[str, Sequence[Figures]], agreement: dict[str, float], model: Path) -> dict[str, float]:
    """The figures that the store's card keeps, each with its set in the name."""
    quality = {
        f"{row.label}_ap50_{place.split(' (')[0].replace(' ', '_').replace('-', '_')}": round(row.ap50, 3)
        for place, rows in figures.items()
        for row in rows
        if row.size == "all" and row.ap50 is not None
    }
    kept = {key: value for key, value in agreement.items() if key.startswith("int8")}
    return {**quality, **kept, "megabytes": round(model.stat().st_size / 1e6, 2)}


def write_store_card(
    model: Path, name: str, plan: ClassPlan, *, threshold: float, quality: dict[str, float], limits: Sequence[str]
) -> Path:
    """The card that `edge` reads, beside the model; what the file is comes from the inspector."""
    found = inspect_file(model, trial=ChildTrial())
    found.require()
    drafted = draft_card(found, name=name)
    card = msgspec.structs.replace(
        drafted, threshold=threshold, groups=plan.groups or None, quality=quality, limits=(*drafted.limits, *limits)
    )
    path = model.with_suffix(".yaml")
    save_card(card, path)
    return path

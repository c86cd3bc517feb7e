"""The commands beside training itself: label, pack, export, describe."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from edge.core.errors import ConfigError
from tools.training.classes import ClassPlan, parse_classes
from tools.training.dataset import Sample, read_file, read_samples, read_training_samples, split_samples

_CALIBRATION = 200
_COMPARED = 60
_HELD = "held out (for curves and thresholds, no test set)"
_LEVELS = (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6)


def teach(options: argparse.Namespace) -> int:
    """`tools/train teach`."""
    from tools.training.teacher import open_teacher, summary, teach

    path = options.data / "instances.json"
    content = read_file(path) if path.exists() else _bare_set(options.data, parse_classes(options.classes))
    teacher = open_teacher(options.teacher, licence=options.licence, tiles=options.tiles)
    taught = teach(options.data, content, teacher, parse_classes(options.classes), fill=options.fill)
    out = options.out or path
    out.write_text(json.dumps(taught), encoding="utf-8")
    print(f"{out}: {summary(content, taught)}")
    return 0


def _bare_set(folder: Path, plan: ClassPlan) -> dict[str, object]:
    """Pictures without any labels, as a set in which nobody has labelled anything."""
    from edge.capture.pictures import read_picture

    files = sorted(path for path in (folder / "images").glob("*") if path.suffix.lower() in {".jpg", ".jpeg", ".png"})
    if not files:
        raise ConfigError(f"{folder}: expected pictures in {folder / 'images'}, found none")
    names = [name for members in plan.members for name in members]
    sizes = [read_picture(path).shape for path in files]
    return {
        "images": [
            {
                "id": n,
                "file_name": path.name,
                "width": size[1],
                "height": size[0],
                "source": folder.name,
                "labelled": [],
            }
            for n, (path, size) in enumerate(zip(files, sizes, strict=True), start=1)
        ],
        "annotations": [],
        "categories": [{"id": number, "name": name} for number, name in enumerate(names, start=1)],
    }


def pack(options: argparse.Namespace) -> int:
    """`tools/train pack`."""
    from tools.training.packing import Packing, pack

    print(
        pack(
            options.data, options.out, Packing(options.longest, options.quality, options.limit_mb), never=options.never
        )
    )
    return 0


def export(options: argparse.Namespace) -> int:
    """`tools/train export`."""
    from tools.training import export as exporting
    from tools.training.batches import read_images
    from tools.training.looking import look_at_all, torch_run
    from tools.training.precision import average_precision
    from tools.training.state import load_weights

    weights = load_weights(options.weights)
    size = replace(weights.plan, size=options.size or weights.plan.size).size  # the plan refuses what can't be
    train, held = split_samples(read_training_samples(options.data, weights.classes), percent=weights.plan.held_out)
    ranges = read_images(_spread(train, _CALIBRATION), longest=10_000)
    content = exporting.export(weights, ranges, size=size, author=options.author, licence=options.licence)
    exporting.write_file(content, options.out)
    images = read_images(held, longest=10_000)
    compared = images[:_COMPARED] or read_images(_spread(train, _COMPARED), longest=10_000)  # --held-out 0
    agreement = exporting.measure_agreement(weights, content, compared, size=size).as_figures()
    import torch

    runs = {
        "float": torch_run(weights.network, size, torch.device("cpu")),
        "int8": exporting.tflite_run(content, size),
    }
    for name, run in runs.items() if held else ():
        seen = look_at_all(run, images, size)
        for number, label in enumerate(weights.classes.labels):
            figures = average_precision(held, seen, class_id=number)
            if figures.ap50 is not None:
                agreement[f"held_out_{label}_ap50_{name}"] = round(figures.ap50, 4)
    facts = {"weights_seen": weights.seen, "seconds": weights.seconds, "size": size, **agreement}
    options.out.with_suffix(".export.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    print(f"{options.out}: {len(content):,} bytes, {size}x{size}")
    for key, value in agreement.items():
        print(f"  {key}: {value:g}")
    return 0


def _spread(samples: list[Sample], count: int) -> list[Sample]:
    """Evenly over the set, so that every source gives some."""
    step = max(1, len(samples) // count)
    return samples[::step][:count]


def describe(options: argparse.Namespace) -> int:
    """`tools/train describe`."""
    from tools.training import cards, describing
    from tools.training.judging import open_judge, see
    from tools.training.plan import read_plan
    from tools.training.precision import match_all

    plan = read_plan(options.run_folder / "plan.json")
    classes = parse_classes(plan.classes)
    _, held = split_samples(read_training_samples(options.data, classes), percent=plan.held_out)
    sets = {_HELD: held, **{folder.name: read_samples(folder, classes) for folder in options.test}}
    if not held:
        raise ConfigError(
            f"{options.run_folder}: the run kept no pictures to describe it by (--held-out 0); keep some, or measure "
            "the file with edge eval"
        )
    judge, exported = open_judge(str(options.model)), _export_facts(options.model)
    found = {place: see(judge, describing.read_all(samples), classes) for place, samples in sets.items()}
    matches = [match_all(held, found[_HELD], class_id=number) for number in range(len(classes))]
    threshold = options.threshold or describing.choose_threshold(matches, wrong_a_picture=options.false_boxes)
    figures = {place: describing.figures_of(samples, found[place], classes) for place, samples in sets.items()}
    agreement = {key: value for key, value in exported.items() if key.startswith(("int8", "held_out"))}
    name = options.name or options.model.stem
    text = cards.model_card(
        name,
        training=cards.Training(
            options.machine, exported["weights_seen"], exported["seconds"], options.watts, options.descent
        ),
        agreement=agreement,
        figures=figures,
        levels={label: describing.levels_of(matches[n], _LEVELS) for n, label in enumerate(classes.labels)},
        threshold=threshold,
        limits=options.limit,
    )
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "model-card.md").write_text(text, encoding="utf-8")
    drawn = describing.draw_failures(held, found[_HELD], classes, options.out / "failures.png", threshold=threshold)
    if options.sources:
        content, sources = read_file(options.data / "instances.json"), cards.read_sources(options.sources)
        (options.out / "data-card.md").write_text(cards.data_card(content, sources, held_out=plan.held_out), "utf-8")
    quality = cards.quality_of(figures, agreement, options.model)
    card = cards.write_store_card(
        options.model, name, classes, threshold=threshold, quality=quality, limits=options.limit
    )
    print(f"{card}: threshold {threshold:g}")
    print(f"{options.out}: cards, and {drawn} pictures with failures drawn (for your eyes: publish no picture)")
    return 0


def _export_facts(model: Path) -> dict[str, Any]:
    path = model.with_suffix(".export.json")
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: expected what tools/train export wrote beside the model; {error}") from error

"""What is checked when the model is known, and what is told about keys without effect."""

from __future__ import annotations

from pathlib import Path

from edge.config.labels import check_labels
from edge.config.load import parse_config
from edge.config.not_yet import unused_settings
from edge.config.values import Config
from tests.config.good import GOOD

LABELS = ("person", "car", "traffic light", "cat")


def parse(text: str) -> Config:
    return parse_config(text.encode(), Path("edge.yaml"))


def told(text: str) -> list[str]:
    return [problem.sentence("edge.yaml") for problem in check_labels(parse(text), LABELS)]


def test_labels_that_the_model_knows_are_good() -> None:
    assert told(GOOD) == []


def test_a_label_the_model_does_not_know_is_told_with_its_line_and_the_nearest_one() -> None:
    text = (
        "cameras:\n  yard:\n    source: synthetic\n    thresholds: {default: 0.5, persn: 0.5}\n    labels: [cat, Car]\n"
        "    snapshots: {redact: [face]}\n    rules:\n      r: {when: appear, label: Car}\n"
    )

    assert told(text) == [
        "edge.yaml:4: cameras.yard.thresholds.persn: the model has no label 'persn'; did you mean 'person'?",
        "edge.yaml:5: cameras.yard.labels[1]: the model has no label 'Car'; did you mean 'car'?",
        "edge.yaml:6: cameras.yard.snapshots.redact[0]: the model has no label 'face'; it has " + ", ".join(LABELS),
        "edge.yaml:8: cameras.yard.rules.r.label: the model has no label 'Car'; did you mean 'car'?",
    ]


def test_a_model_without_persons_goes_with_the_default_redaction() -> None:
    assert check_labels(parse("cameras: {a: {source: synthetic}}"), ("ship",)) == []


def test_keys_without_effect_yet_are_named_only_when_they_are_set() -> None:
    assert unused_settings(parse("cameras: {yard: {source: synthetic}}")) == []
    assert unused_settings(parse(GOOD)) == ["health.prometheus"]


def test_what_is_switched_off_has_the_effect_it_asks_for() -> None:
    text = (
        "home_assistant: {enabled: false}\n"
        "cameras: {a: {source: synthetic, snapshots: {enabled: false}, motion_gate: {enabled: false}, redact: []}}"
    )

    assert unused_settings(parse(text)) == []

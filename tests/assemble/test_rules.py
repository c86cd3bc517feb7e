"""From the words of a configuration to rules that speak."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from edge.assemble.model import find
from edge.assemble.rules import ledger_of, make_attention, make_rules, make_wanted, time_zone
from edge.config.load import parse_config
from edge.config.values import Config
from edge.core.events import Occupancy, Severity
from edge.core.values import as_detections
from tests.builders import make_frame
from tests.track.stage import Stage, alerts

MODEL = find("edge-default")


def parse(camera: str, top: str = "") -> Config:
    return parse_config(f"{top}\ncameras: {{yard: {{source: synthetic, {camera}}}}}".encode(), Path("/cfg/edge.yaml"))


def stage_of(camera: str) -> Stage:
    config = parse(camera)
    yard = config.cameras["yard"]
    wanted = make_wanted("yard", yard, MODEL)
    return Stage(make_rules(yard, wanted, MODEL, zone=None, ledger=None))


EVERY_RULE = """zones: {middle: [[0.3, 0.2], [0.7, 0.2], [0.7, 1.0], [0.3, 1.0]]},
lines: {gate: {from: [0.5, 0.0], to: [0.5, 1.0]}}, thresholds: {default: 0.3, person: 0.45},
rules: {
  appears: {when: appear, label: person, severity: detection}, leaves: {when: leave},
  enters: {when: enter, zone: middle}, exits: {when: exit, zone: middle},
  stays: {when: dwell, zone: middle, seconds: 1}, crowd: {when: count, count: 1},
  nobody: {when: absence, seconds: 4}, out: {when: cross, line: gate, direction: out},
  in: {when: cross, line: gate, direction: in}, later: {when: count, count: 1, seconds: 2}}"""


def test_every_kind_of_rule_speaks_as_it_is_told_to() -> None:
    stage = stage_of(EVERY_RULE)

    stage.walk(1, *np.arange(0.05, 0.95, 0.02))
    stage.nothing(for_s=5.0)

    assert sorted(name for name, _ in alerts(stage.told)) == [
        "appears", "crowd", "enters", "exits", "later", "leaves", "nobody", "out", "stays",
    ]  # fmt: skip
    (appears,) = [each.rule for each in stage.told if each.rule and each.rule.name == "appears"]
    assert appears.severity is Severity.DETECTION
    assert [(each.condition, each.threshold) for each in appears.why] == [("score", 0.45)]


def test_counts_are_told_for_the_camera_s_labels_or_for_the_model_s() -> None:
    named, unnamed = stage_of("labels: [person]"), stage_of("fps: 5")
    named.show({})
    unnamed.show({})

    assert named.book.changes() == [Occupancy("person", 0)]
    assert unnamed.book.changes() == [Occupancy(label, 0) for label in MODEL.labels]


@pytest.mark.parametrize(("camera", "kept"), [("fps: 5", 1), ("ignore: [[[0, 0], [1, 0], [1, 1], [0, 1]]]", 0),
                                              ("sizes: {person: {max_area: 0.01}}", 0)])  # fmt: skip
def test_ignored_areas_and_sizes_reach_the_tracker_s_door(camera: str, kept: int) -> None:
    yard = parse(camera).cameras["yard"]
    attention = make_attention(yard, make_wanted("yard", yard, MODEL), MODEL)

    found = attention.select(as_detections([[5, 5, 30, 40]], [0.9], [MODEL.labels.index("person")]), make_frame())

    assert len(found) == kept


def test_line_counts_lie_beside_the_outbox() -> None:
    line = "lines: {gate: {from: [0, 0], to: [1, 1]}}"

    assert ledger_of(parse("fps: 5"), "yard") is None
    ledger = ledger_of(parse(line, "outbox: {path: state/outbox.db}"), "yard")
    assert ledger is not None
    assert ledger.file == Path("/cfg/state/lines-yard.json")


def test_the_time_zone_is_the_configured_one_or_the_machine_s() -> None:
    assert time_zone(parse("fps: 5")) is None
    assert time_zone(parse("fps: 5", "timezone: Asia/Tokyo")) == ZoneInfo("Asia/Tokyo")

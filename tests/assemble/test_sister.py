"""Who stands in for a model on a hot day: what its card or a person names, if its answers mean the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from edge.assemble.brains import line_up
from edge.assemble.examination import examine
from edge.assemble.in_force import InForce
from edge.assemble.model import find
from edge.assemble.plan import Plan, make_plan
from edge.assemble.sight import make_workshop
from edge.assemble.sister import find_sister, sister_of
from edge.config.load import load_config
from edge.config.values import Camera, Config, Governor, Origin, Outbox
from edge.core.clock import HandClock
from edge.core.errors import ConfigError
from edge.core.model import Model
from edge.core.shared_files import shared_folder
from edge.service.identity import Identities

MODELS = shared_folder("models")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGE_MODELS", str(tmp_path / "models"))
    (tmp_path / "models").mkdir()
    return tmp_path


def write_card(folder: Path, name: str, **changes: object) -> None:
    """A card of the default model's file, with something else in it."""
    card = yaml.safe_load((MODELS / "edge-default.yaml").read_text(encoding="utf-8"))
    card |= {"name": name, "file": str(MODELS / "edge-default.tflite")} | changes
    (folder / "models" / f"{name}.yaml").write_text(yaml.safe_dump(card), encoding="utf-8")


def config_of(folder: Path, *, smaller_model: str = "auto", boxes: str = "graph", **camera: object) -> Config:
    return Config(
        model="edge-default-320",
        boxes=boxes,  # type: ignore[arg-type]
        cameras={"yard": Camera(source="synthetic:", **camera)},  # type: ignore[arg-type]
        governor=Governor(smaller_model=smaller_model),
        outbox=Outbox(path=folder / "state" / "outbox.db"),
        origin=Origin(file=folder / "edge.yaml"),
    )


def test_the_card_names_the_sister_unless_a_person_wants_none(folder: Path) -> None:
    model = find("edge-default-320")

    sister = find_sister(config_of(folder), model)

    assert sister is not None
    assert sister.name == "edge-default"
    assert find_sister(config_of(folder, smaller_model="none"), model) is None
    assert find_sister(config_of(folder), sister) is None


def test_a_card_s_sister_who_was_not_pulled_is_missed_by_nobody(folder: Path) -> None:
    assert find_sister(config_of(folder), replace(find("edge-default"), smaller="efficientdet-lite0")) is None


@pytest.mark.parametrize(
    ("changes", "boxes", "words"),
    [
        ({"labels": ["person", "car"]}, "graph", "knows all labels of edge-default-320.*lacks vehicle"),
        ({}, "raw", "boxes: raw reads models of the family ssd-postprocess"),
    ],
)
def test_one_whose_answers_mean_something_else_is_refused(
    folder: Path, changes: dict[str, object], boxes: str, words: str
) -> None:
    write_card(folder, "weak", **changes)

    with pytest.raises(ConfigError, match=rf"edge.yaml: governor.smaller_model: .*{words}"):
        sister_of(config_of(folder, smaller_model="weak", boxes=boxes), find("edge-default-320"))


@pytest.mark.parametrize("name", ["edge-default-320", "nobody"])
def test_one_that_is_no_less_or_not_there_is_a_problem_of_its_line(folder: Path, name: str) -> None:
    file = folder / "edge.yaml"
    file.write_text(
        f"cameras: {{yard: {{source: synthetic}}}}\nmodel: edge-default-320\ngovernor:\n  smaller_model: {name}\n"
    )

    (problem,) = examine(file, lambda config: find(config.model)).problems

    assert (problem.line, problem.key) == (4, "governor.smaller_model")
    assert name in problem.message


def test_a_path_counts_from_the_folder_of_the_file(folder: Path) -> None:
    file = folder / "edge.yaml"
    file.write_text("cameras: {yard: {source: synthetic}}\ngovernor: {smaller_model: small/one.tflite}\n")

    assert load_config(file).governor.smaller_model == str(folder / "small" / "one.tflite")


def plan_with(folder: Path, sister: Model, **settings: object) -> Plan:
    config = config_of(folder, **settings)  # type: ignore[arg-type]
    return make_plan(config, line_up(config), sister=sister, has_own_publisher=True)


def test_her_classes_are_read_as_the_model_s(folder: Path) -> None:
    write_card(folder, "weak", labels=["vehicle", "person"])
    plan = plan_with(folder, find("weak")).smaller

    assert plan is not None
    workshop = make_workshop(plan.config, plan.line, plan.infer, 0.2, HandClock())
    assert plan.model.labels == ("person", "vehicle")
    assert workshop.inference(plan.line.cpu).class_ids == (1, 0)
    assert (plan.model.layout.input.width, plan.smaller) == (288, None)


def test_a_threshold_that_is_left_to_the_model_is_hers_while_she_works(folder: Path) -> None:
    write_card(folder, "weak", threshold=0.6)
    plan = plan_with(folder, find("weak"), thresholds={"vehicle": 0.45})
    in_force = InForce(plan, Identities("gate", "epoch"), HandClock())
    in_force.wanted["yard"].override({"person": 0.7})  # as a command that was not kept

    before = in_force.wanted["yard"].scores
    in_force.exchange(is_smaller=True)
    meanwhile = in_force.wanted["yard"].scores
    in_force.exchange(is_smaller=False)

    assert before == {"person": 0.7, "vehicle": 0.45}
    assert meanwhile == {"person": 0.6, "vehicle": 0.45}
    assert in_force.wanted["yard"].scores == {"person": plan.model.threshold, "vehicle": 0.45}
    assert in_force.plan is in_force.nominal is plan

"""``edge check`` tells whether a configuration is good, in words and in JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from edge.assemble.examination import Findings, examine
from edge.config.values import Config
from edge.core.errors import ModelError
from edge.core.model import Family, InputLayout, Model, ModelLayout

LAYOUT = ModelLayout(
    family=Family.LTRB,
    input=InputLayout(name="in", width=256, height=256, dtype="int8", scale=1.0),
    outputs={},
    classes=2,
)


def person_and_car(config: Config) -> Model:
    return Model(config.model, Path("a.tflite"), "0" * 64, LAYOUT, ("person", "car"))


def no_model(config: Config) -> Model:
    raise ModelError(f"{config.model}: expected a model card, found none; edge models pull {config.model}")


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    return tmp_path / "edge.yaml"


def examined(config_file: Path, text: str) -> Findings:
    config_file.write_text(text)
    return examine(config_file, person_and_car)


def test_a_good_file_is_good_and_tells_what_was_looked_at(config_file: Path) -> None:
    findings = examined(config_file, "device: gate\ncameras: {yard: {source: synthetic, labels: [person]}}")

    assert findings.good
    assert findings.checked == ["configuration: 1 camera, device gate", "model: edge-default, ltrb, 2 labels"]
    assert findings.warnings == []


def test_a_label_that_the_model_lacks_is_a_problem(config_file: Path) -> None:
    findings = examined(config_file, "cameras:\n  yard: {source: synthetic, labels: [persn]}\n")

    (problem,) = findings.problems
    assert (problem.line, problem.key) == (2, "cameras.yard.labels[0]")
    assert "did you mean 'person'?" in problem.message


def test_a_model_that_is_not_there_is_a_problem_of_its_line(config_file: Path) -> None:
    config_file.write_text("cameras: {yard: {source: synthetic}}\nmodel: none\n")

    (problem,) = examine(config_file, no_model).problems

    assert (problem.line, problem.key) == (2, "model")
    assert "edge models pull none" in problem.message


def test_mistakes_of_every_kind_are_told_at_once(config_file: Path) -> None:
    text = "speed: 3\nmodel: nothing\ncameras:\n  yard: {source: no.mp4}\n  shed: {source: synthetic, fps: none}\n"
    config_file.write_text(text)

    findings = examine(config_file, no_model)

    assert [(problem.key, problem.line) for problem in findings.problems] == [
        ("speed", 1),
        ("cameras.shed.fps", 5),
        ("cameras.yard.source", 4),
        ("model", 2),
    ]
    assert findings.checked == []


def test_a_recording_that_is_not_there_is_a_problem(config_file: Path) -> None:
    findings = examined(config_file, "cameras: {yard: {source: walk.mp4}}")

    assert [problem.key for problem in findings.problems] == ["cameras.yard.source"]


def test_a_recording_whose_name_no_disk_takes_is_a_problem_and_no_crash(config_file: Path) -> None:
    findings = examined(config_file, f"cameras: {{yard: {{source: {'n' * 300}.mp4}}}}")

    (problem,) = findings.problems
    assert "file name too long" in problem.message


def test_a_key_without_effect_is_a_warning_and_the_file_is_good(config_file: Path) -> None:
    text = "cameras: {yard: {source: synthetic}}\nhealth:\n  prometheus: 127.0.0.1:9750\n"

    findings = examined(config_file, text)

    assert findings.good
    assert findings.warnings == [
        "health.prometheus (line 3) is read and checked, but this version does not act on it yet"
    ]


def edge_check(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edge", "check", *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(Path(__file__).resolve().parents[2]), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_command_ends_with_78_and_one_line_for_each_mistake(config_file: Path) -> None:
    config_file.write_text("modle: x\ncameras: {yard: {source: synthetic, fps: 10fps}}\n")

    done = edge_check("--config", "edge.yaml", folder=config_file.parent)

    assert (done.returncode, done.stdout) == (78, "")
    assert [line.split("; ")[-1] for line in done.stderr.splitlines()] == ["did you mean model?", "write 10"]
    assert done.stderr.startswith("edge: edge.yaml:1: modle: ")


def test_the_command_s_json_is_one_object_on_standard_output(config_file: Path) -> None:
    config_file.write_text("cameras: {yard: {source: synthetic, fps: 10fps}}\n")

    done = edge_check("--json", folder=config_file.parent)

    told = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (78, "")
    assert (told["file"], told["good"], told["warnings"]) == ("edge.yaml", False, [])
    assert [(p["line"], p["key"]) for p in told["problems"]] == [(1, "cameras.yard.fps")]
    assert told["problems"][0]["message"].endswith("write 10")


@pytest.mark.parametrize("arguments", [("--config", "none.yaml"), ("--config", ".")])
def test_a_file_that_is_not_there_is_one_line_and_78(config_file: Path, arguments: tuple[str, ...]) -> None:
    done = edge_check(*arguments, folder=config_file.parent)

    assert done.returncode == 78
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(f"edge: {Path(arguments[1])}: expected the configuration file, found ")


def test_a_file_with_nothing_in_it_is_named(config_file: Path) -> None:
    config_file.write_text("")

    done = edge_check(folder=config_file.parent)

    assert done.stderr.startswith("edge: edge.yaml: the file is empty; the smallest useful file is ")

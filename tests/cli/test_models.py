"""``edge models`` as a user calls it: exit codes, JSON, and words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import edge
from edge.core.shared_files import shared_folder
from tests.catalog import made_models as made

_PACKAGE_HOME = Path(edge.__file__).resolve().parent.parent
_INPUT_KEYS = {"width", "height", "dtype", "scale", "zero_point"}
_KEYS = {"file", "sha256", "family", "input", "labels", "backend", "usable", "reason"}


def _edge(*arguments: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in an empty home."""
    found = subprocess.run(
        [sys.executable, "-m", "edge", *arguments], capture_output=True, text=True, check=False, cwd=home,
        env={**os.environ, "PYTHONPATH": str(_PACKAGE_HOME), "XDG_DATA_HOME": str(home), "EDGE_MODELS": str(home),
             **environment},
    )  # fmt: skip
    assert "Traceback" not in found.stderr
    return found


def test_list_shows_the_default_model(tmp_path: Path) -> None:
    plain, as_json = _edge("models", "list", home=tmp_path), _edge("models", "list", "--json", home=tmp_path)

    assert plain.returncode == 0
    assert "edge-default" in plain.stdout
    listed = {entry["name"]: entry for entry in json.loads(as_json.stdout)["models"]}
    assert listed["edge-default"]["here"]
    assert not listed["ssd-mobilenet-v1"]["here"]


def test_inspect_tells_the_agreed_keys(tmp_path: Path) -> None:
    path = shared_folder("models") / "edge-default.tflite"

    found = _edge("models", "inspect", str(path), "--json", home=tmp_path)

    told = json.loads(found.stdout)
    assert found.returncode == 0
    assert told.keys() >= _KEYS
    assert told["input"].keys() >= _INPUT_KEYS
    assert (told["family"], told["usable"], told["reason"]) == ("ltrb", True, None)
    assert told["labels"] == ["person", "vehicle"]


def test_inspect_explains_to_people_and_drafts_a_card(tmp_path: Path) -> None:
    made.yolov8(classes=2).write(tmp_path / "mine.tflite")
    (tmp_path / "labels.txt").write_text("cat\ndog\n")

    found = _edge("models", "inspect", "mine.tflite", "--labels", "labels.txt", "--card", "mine.yaml", home=tmp_path)
    model = _edge("models", "verify", "mine", home=tmp_path)

    assert found.returncode == 0
    for word in ("yolov8", "letterbox", "cat, dog", "RESHAPE", "# card"):
        assert word in found.stdout
    assert model.returncode == 0
    assert "mine: ok" in model.stdout


@pytest.mark.parametrize("content", [b"", b"<html>", None])
def test_a_refusal_exits_78_and_still_prints_the_object(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    if content is not None:
        path.write_bytes(content)

    found = _edge("models", "inspect", str(path), "--json", home=tmp_path)

    assert found.returncode == 78
    told = json.loads(found.stdout)
    assert told["usable"] is False
    assert told["reason"]
    assert told["reason"] in found.stderr


def test_a_label_file_that_does_not_fit_exits_78(tmp_path: Path) -> None:
    made.yolov8(classes=2).write(tmp_path / "mine.tflite")
    (tmp_path / "labels.txt").write_text("cat\n")

    wrong = _edge("models", "inspect", "mine.tflite", "--json", "--labels", "labels.txt", home=tmp_path)
    missing = _edge("models", "inspect", "mine.tflite", "--json", "--labels", "no.txt", home=tmp_path)

    assert (wrong.returncode, missing.returncode) == (78, 78)
    assert "1 labels" in json.loads(wrong.stdout)["reason"]
    assert "no.txt" in json.loads(missing.stdout)["reason"]


def test_an_unknown_family_or_model_is_wrong_usage_or_78(tmp_path: Path) -> None:
    assert _edge("models", "inspect", "x.tflite", "--family", "yolov99", home=tmp_path).returncode == 2
    assert _edge("models", "pull", "no-such-model", home=tmp_path).returncode == 78
    assert _edge("models", "pull", home=tmp_path).returncode == 2
    assert _edge("models", "pull", "edge-default", "--twin", home=tmp_path).returncode == 2


def test_pull_fails_clearly_with_a_bad_or_missing_mirror(tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    missing = _edge("models", "pull", "ssd-mobilenet-v1", "--mirror", str(mirror), home=tmp_path)
    (mirror / "ssd_mobilenet_v1_coco_quant_postprocess.tflite").write_bytes(b"not it")
    bad = _edge("models", "pull", "ssd-mobilenet-v1", home=tmp_path, EDGE_MODEL_MIRROR=str(mirror))

    assert missing.returncode == 75
    assert bad.returncode == 78
    assert "expected git blob" in bad.stderr
    assert [entry.name for entry in tmp_path.iterdir()] == ["mirror"]


def test_pulling_what_is_shipped_does_nothing(tmp_path: Path) -> None:
    found = _edge("models", "pull", "edge-default", home=tmp_path)

    assert found.returncode == 0
    assert "comes with the program" in found.stderr


def test_verify_finds_a_changed_file(tmp_path: Path) -> None:
    source = shared_folder("models")
    (tmp_path / "edge-default.yaml").write_text((source / "edge-default.yaml").read_text())
    (tmp_path / "edge-default.tflite").write_bytes((source / "edge-default.tflite").read_bytes() + b"x")

    found = _edge("models", "verify", home=tmp_path)

    assert found.returncode == 1
    assert "edge-default: " in found.stdout
    assert "expected sha256" in found.stdout


@pytest.mark.parametrize("name", ["no-such-model", "ssd-mobilenet-v1"])
def test_inspect_answers_in_json_for_a_name_that_leads_to_no_file(name: str, tmp_path: Path) -> None:
    found = _edge("models", "inspect", name, "--json", home=tmp_path)

    told = json.loads(found.stdout)
    assert found.returncode == 78
    assert told.keys() >= _KEYS
    assert (told["file"], told["usable"]) == (name, False)
    assert "edge models" in told["reason"]


def test_a_model_whose_file_name_is_no_text_is_refused_in_words(tmp_path: Path) -> None:
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/mine\xff.tflite")
    made.yolov8().write(Path(odd))

    as_json = _edge("models", "inspect", odd, "--json", home=tmp_path)
    as_text = _edge("models", "inspect", odd, home=tmp_path)

    assert (as_json.returncode, as_text.returncode) == (78, 78)
    assert json.loads(as_json.stdout)["file"].endswith("mine\\xff.tflite")
    assert "rename it" in as_text.stdout


def test_use_and_rollback_choose_the_next_start_s_model(tmp_path: Path) -> None:
    (tmp_path / "edge.yaml").write_text(
        'outbox: {path: state/outbox.db}\ncameras: {yard: {source: "synthetic:", labels: [person]}}\n'
    )

    used = _edge("models", "use", "edge-default-320", home=tmp_path)
    back = _edge("models", "rollback", home=tmp_path)
    further = _edge("models", "rollback", home=tmp_path)

    assert (used.returncode, used.stdout) == (0, "edge-default-320\n")
    assert "systemctl restart edge" in used.stderr
    assert (back.returncode, back.stdout) == (0, "edge-default\n")
    assert further.returncode == 78
    assert "nothing to go back to" in further.stderr


def test_a_model_that_does_not_fit_or_run_is_not_chosen(tmp_path: Path) -> None:
    (tmp_path / "edge.yaml").write_text(
        'outbox: {path: state/outbox.db}\ncameras: {yard: {source: "synthetic:", labels: [person]}}\n'
    )
    made.yolov8(classes=2).write(tmp_path / "mine.tflite")
    (tmp_path / "broken.tflite").write_bytes(b"<html>")

    other_labels = _edge("models", "use", "./mine.tflite", home=tmp_path)
    broken = _edge("models", "use", "./broken.tflite", home=tmp_path)

    assert (other_labels.returncode, broken.returncode) == (78, 78)
    assert "no label 'person'" in other_labels.stderr
    assert not (tmp_path / "state" / "model-choice.json").exists()

"""Labels and facts that a file carries; damage and bombs are left out, not obeyed."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.catalog.labels import fit_labels, known_labels, parse_labels, read_labels
from edge.catalog.metadata import Metadata, read_attachments, read_metadata
from edge.catalog.model_file import parse_model
from edge.core.errors import ModelError
from tests.catalog import made_models as made
from tests.catalog.made_models import inspect
from tests.tflite_builder import TfliteBuilder


def _metadata(build: TfliteBuilder) -> Metadata:
    return read_metadata(parse_model(build.to_bytes()))


@pytest.mark.parametrize("name", ["labelmap.txt", "labels.txt", "labels_mobilenet.txt", "classes.txt"])
def test_a_label_file_is_found_by_name_or_because_it_is_the_only_one(name: str) -> None:
    build = made.ltrb()
    build.attach(name, "person\nvehicle\nanimal\n")

    assert _metadata(build).labels == ("person", "vehicle", "animal")


@pytest.mark.parametrize("file", ["temp_meta.txt", "meta.txt"])
def test_ultralytics_text_is_read(file: str) -> None:
    build = made.yolov8(classes=2)
    build.attach(file, repr({"task": "detect", "stride": 32, "names": {0: "cat", 1: "dog"}, "license": "AGPL-3.0"}))

    metadata = _metadata(build)

    assert metadata.labels == ("cat", "dog")
    assert metadata.is_ultralytics
    assert metadata.licence == "AGPL-3.0"


def test_ultralytics_json_with_text_keys_is_read() -> None:
    build = made.yolov8(classes=2)
    build.attach("metadata.json", json.dumps({"task": "detect", "names": {"0": "cat", "1": "dog"}, "end2end": True}))

    metadata = _metadata(build)

    assert metadata.labels == ("cat", "dog")
    assert metadata.end2end


def test_ultralytics_text_that_is_code_is_not_run() -> None:
    build = made.yolov8(classes=2)
    build.attach("temp_meta.txt", "{'names': __import__('os').listdir('/')}")

    assert _metadata(build) == Metadata()


def test_a_stated_normalisation_is_read() -> None:
    build = made.ltrb()
    build.normalisation(mean=[127.0], std=[128.0])

    metadata = _metadata(build)

    assert (metadata.mean, metadata.std) == ((127.0,), (128.0,))


def test_a_zip_bomb_is_left_out() -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("labelmap.txt", b"\0" * 50_000_000)

    assert read_attachments(memoryview(made.ltrb().to_bytes() + held.getvalue())) == {}


@given(st.integers(0, 400), st.integers(0, 255))
def test_a_damaged_zip_is_left_out(position: int, value: int) -> None:
    build = made.ltrb()
    build.attach("labelmap.txt", "person\n" * 20)
    content = bytearray(build.to_bytes())
    content[-1 - min(position, 200)] = value

    read_attachments(memoryview(content))


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("person\ncar\n", ("person", "car")),
        ("\ufeffperson\r\ncar\r\n\r\n\r\n", ("person", "car")),
        ("person\n\ncar\n", ("person", "???", "car")),
        ("???\nperson\n???\n", ("???", "person", "???")),
        ("0  person\n1  bicycle\n3  car\n", ("person", "bicycle", "???", "car")),
        ("0: person\n1: car", ("person", "car")),
        ("1 person\n2 car", ("???", "person", "car")),
        ("2 door car\n4 door car", ("2 door car", "4 door car")),
        ("7up can", ("7up can",)),
    ],
)
def test_label_text_is_read_in_its_usual_forms(text: str, labels: tuple[str, ...]) -> None:
    assert parse_labels(text) == labels


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "empty"), (b"\xff\xfe\x00", "UTF-8"), (b"a\0b", "binary"), (b"x\n" * 3_000_000, "larger than|more than")],
)
def test_a_bad_label_file_is_refused(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_bytes(content)

    with pytest.raises(ModelError, match=words):
        read_labels(path)


def test_a_missing_label_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no\.txt"):
        read_labels(tmp_path / "no.txt")


def test_coco_labels_with_holes_fit_ninety_classes() -> None:
    labels, name = known_labels(90)
    holed = labels[:85]

    assert name == "coco-ssd-90"
    assert fit_labels(("???", *labels), 90, origin="a test") == labels
    assert len(fit_labels(holed, 90, origin="a test")) == 90


def test_eighty_labels_do_not_fit_ninety_classes() -> None:
    labels, _ = known_labels(80)

    with pytest.raises(ModelError, match="80 labels"):
        fit_labels(labels, 90, origin="a test")


def test_labels_in_the_file_are_used_without_being_asked_for(tmp_path: Path) -> None:
    build = made.yolov8(classes=2)
    build.attach("temp_meta.txt", repr({"task": "detect", "names": ["cat", "dog"]}))

    assert inspect(build, tmp_path).labels == ("cat", "dog")


def test_classes_without_labels_are_numbered_and_that_is_said(tmp_path: Path) -> None:
    found = inspect(made.yolov8(classes=7), tmp_path)

    assert found.labels[6] == "class-6"
    assert any("no labels" in note for note in found.notes)


def test_label_names_become_one_line_of_sound_text() -> None:
    """JSON may hold half a surrogate pair, which neither MQTT nor a terminal takes."""
    build = made.yolov8(classes=2)
    build.attach("metadata.json", '{"task": "detect", "names": {"0": "bad \\ud800", "1": " two\\nlines "}}')

    assert _metadata(build).labels == ("bad ?", "two lines")

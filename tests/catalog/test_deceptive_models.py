"""Files that look like something they are not: what the numbers and the graph prove counts, not the first look."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge.catalog.grid import cell_centres
from edge.catalog.inspector import Hints
from edge.core.model import Family
from tests.catalog import made_models as made
from tests.catalog.made_models import inspect
from tests.tflite_builder import TfliteBuilder, plain, quantise, ssd_postprocess


def _through_a_coarse_scale(*behind: str) -> TfliteBuilder:
    """YOLOv8 with boxes in pixels that went through one int8 scale and came out as real numbers."""
    table = np.concatenate([made.decoded_boxes(pixels=True), made.probabilities(made.CELLS, 5)], axis=1).T[None]
    scale = float(table.max()) / 255
    build = plain({})
    at = build.constant("packed", quantise(table, scale, -128), scale=scale, zero_point=-128)
    shape = build.constant("shape", np.array(table.shape, np.int32))
    for number, operator in enumerate(("DEQUANTIZE", *behind)):
        inputs = [at, shape] if operator == "RESHAPE" else [at]
        at = build.op(operator, inputs, name=f"step{number}", shape=table.shape, dtype="float32")
    build.mark_output(at)
    return build


@pytest.mark.parametrize("behind", [("RESHAPE",), ("RESHAPE", "RESHAPE")])
def test_scores_that_one_scale_killed_are_refused_though_they_come_out_as_real_numbers(
    behind: tuple[str, ...], tmp_path: Path
) -> None:
    found = inspect(_through_a_coarse_scale(*behind), tmp_path)

    assert "one scale" in found.reason
    assert "packed" in found.reason


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64"])
def test_whole_numbers_without_a_scale_are_no_scores(dtype: str, tmp_path: Path) -> None:
    table = np.concatenate([made.decoded_boxes(pixels=True), made.probabilities(made.CELLS, 5).round()], axis=1)

    found = inspect(plain({"out": table.T[None].astype(dtype)}), tmp_path)

    assert dtype in found.reason
    assert "scale" in found.reason


@pytest.mark.parametrize("first", ["???", "background"])
@pytest.mark.parametrize("columns", [4, 91])
def test_a_label_list_that_names_the_background_leaves_it_the_background(
    first: str, columns: int, tmp_path: Path
) -> None:
    labels = tuple(f"thing {number}" for number in range(columns - 1))
    build = made.raw_ssd(count=50, columns=columns, with_anchors="constant")
    build.attach("labelmap.txt", "\n".join((first, *labels)))

    found = inspect(build, tmp_path)

    assert found.layout is not None, found.reason
    assert found.layout.background
    assert found.labels == labels


def test_boxes_far_larger_than_the_picture_do_not_turn_an_ssds_units_into_pixels(tmp_path: Path) -> None:
    parts = made.postprocess_parts(classes=3)
    parts["encodings"] = parts["encodings"] * 12  # junk of low score: sizes of e^4 anchors

    found = inspect(ssd_postprocess(**parts), tmp_path)

    assert found.layout is not None, found.reason
    assert found.layout.box_units == "normalised"


def test_an_ssd_whose_anchors_are_in_pixels_gives_boxes_in_pixels(tmp_path: Path) -> None:
    parts = made.postprocess_parts(classes=3)
    parts["anchors"] = parts["anchors"] * 96

    found = inspect(ssd_postprocess(**parts), tmp_path)

    assert found.layout is not None, found.reason
    assert found.layout.box_units == "pixels"


def test_key_points_in_0_to_1_are_no_class_scores(tmp_path: Path) -> None:
    centres = cell_centres(*made.SIZE, made.STRIDES)
    points = np.concatenate([centres + made.random().normal(0, 0.03, centres.shape) for _ in range(5)], axis=1)
    table = np.concatenate([made.decoded_boxes(), made.probabilities(made.CELLS, 1), points.clip(0, 1)], axis=1)

    found = inspect(plain({"out": table.T[None].astype(np.float32)}), tmp_path)

    assert "not class scores" in found.reason
    assert "pose" in found.reason


@pytest.mark.parametrize(("size", "strides"), [((320, 192), (16, 32)), ((160, 96), (8, 16))])
def test_300_finished_boxes_are_end_to_end_though_300_cells_would_fit_the_input(
    size: tuple[int, int], strides: tuple[int, ...], tmp_path: Path
) -> None:
    assert len(cell_centres(*size, strides)) == 300

    found = inspect(_sized(made.end2end(), size), tmp_path)

    assert found.family is Family.YOLO_END2END, found.reason


def _sized(build: TfliteBuilder, size: tuple[int, int]) -> TfliteBuilder:
    build._graph.tensors[build._graph.inputs[0]].shape = [1, size[1], size[0], 3]
    return build


def test_metadata_that_says_end_to_end_is_believed(tmp_path: Path) -> None:
    build = _sized(plain({"Identity": np.zeros((1, 300, 6), np.float32)}), (320, 192))
    build.attach("temp_meta.txt", repr({"task": "detect", "end2end": True, "names": {0: "a", 1: "b"}, "stride": 32}))

    found = inspect(build, tmp_path)

    assert found.family is Family.YOLO_END2END, found.reason
    assert found.labels == ("a", "b")


def test_units_that_an_empty_trial_run_could_not_show_are_told_as_assumed(tmp_path: Path) -> None:
    found = inspect(plain({"Identity": np.zeros((1, 300, 6), np.float32)}), tmp_path)

    assert any("0..1" in note for note in found.notes)


@pytest.mark.parametrize("shape", [(1, 84, made.CELLS, 1), (1, 1, 84, made.CELLS), (1, made.CELLS, 84, 1)])
def test_axes_of_one_hide_nothing(shape: tuple[int, ...], tmp_path: Path) -> None:
    table = np.concatenate([made.decoded_boxes(), made.probabilities(made.CELLS, 80)], axis=1)
    is_transposed = shape[1] == made.CELLS
    values = (table if is_transposed else table.T).reshape(shape)

    found = inspect(plain({"out": values}), tmp_path, Hints(family=Family.YOLOV8))

    assert found.layout is not None, found.reason
    assert found.layout.transposed is is_transposed


def test_boxes_in_0_to_1_prove_a_transposed_yolov8_with_few_classes(tmp_path: Path) -> None:
    """YOLOX never normalises its boxes."""
    found = inspect(made.yolov8(classes=3, transposed=True), tmp_path)

    assert found.family is Family.YOLOV8, found.reason
    assert len(found.labels) == 3


@pytest.mark.parametrize(("scale", "family"), [(1.0, Family.YOLOX), (1 / 255, Family.YOLOV8)])
def test_the_range_of_a_quantised_input_tells_yolox_from_a_transposed_yolov8(
    scale: float, family: Family, tmp_path: Path
) -> None:
    """YOLOX takes bytes, YOLOv8 0..1."""
    table = np.concatenate([made.decoded_boxes(pixels=True), made.probabilities(made.CELLS, 4)], axis=1)
    build = plain({"out": table[None]}, dtype="int8", scale=scale, zero_point=-128)

    found = inspect(build, tmp_path)

    assert found.family is family, found.reason

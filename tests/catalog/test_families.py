"""Every family is recognised by its graph and one run with the real runtime."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from edge.catalog.inspector import Hints
from edge.core.model import Family
from tests.catalog import made_models as made
from tests.catalog.made_models import inspect
from tests.tflite_builder import TfliteBuilder, plain, quantise, ssd_postprocess

_SLOTS = ("boxes", "classes", "scores", "count")


@pytest.mark.parametrize("order", list(itertools.permutations(_SLOTS)), ids="-".join)
def test_an_ssd_is_read_rightly_in_any_output_order(order: tuple[str, ...], tmp_path: Path) -> None:
    found = inspect(ssd_postprocess(**made.postprocess_parts(), order=order), tmp_path)

    assert found.reason == ""
    assert found.layout is not None
    assert found.layout.family is Family.SSD_POSTPROCESS
    assert {role: view.index for role, view in found.layout.outputs.items()} == {
        role: order.index(role) for role in _SLOTS
    }
    assert found.layout.classes == 90
    assert found.layout.box_units == "normalised"
    assert found.layout.input.resize == "stretch"


@pytest.mark.parametrize("boxes", [1, 4, 10, 20, 100])
def test_an_ssd_may_return_any_number_of_boxes(boxes: int, tmp_path: Path) -> None:
    build = ssd_postprocess(**made.postprocess_parts(count=120), options={"max_detections": boxes})

    found = inspect(build, tmp_path)

    assert found.layout is not None
    assert found.layout.outputs["boxes"].shape == (1, boxes, 4)


def test_an_ssd_is_followed_through_reshapes_behind_its_operator(tmp_path: Path) -> None:
    build = TfliteBuilder()
    build.input("image", (1, 96, 96, 3), "uint8", scale=1 / 128, zero_point=128)
    parts = made.postprocess_parts(classes=3)
    inputs = [build.constant(name, parts[name]) for name in ("encodings", "scores", "anchors")]
    slots = build.custom(
        "TFLite_Detection_PostProcess", inputs, outputs=[(f"slot{i}", (), "float32") for i in range(4)],
        options={"max_detections": 5, "max_classes_per_detection": 1, "nms_score_threshold": 0.0,
                 "nms_iou_threshold": 0.6, "num_classes": 3, "y_scale": 10.0, "x_scale": 10.0, "h_scale": 5.0,
                 "w_scale": 5.0},
    )  # fmt: skip
    shapes = ((5, 4), (5,), (5,), (1,))
    for slot in (2, 0, 3, 1):
        to = build.constant(f"shape{slot}", np.array(shapes[slot], np.int32))
        build.mark_output(
            build.op("RESHAPE", [slots[slot], to], name=f"out{slot}", shape=shapes[slot], dtype="float32")
        )

    found = inspect(build, tmp_path)

    assert found.layout is not None, found.reason
    assert {role: view.index for role, view in found.layout.outputs.items()} == {
        "scores": 0, "boxes": 1, "count": 2, "classes": 3,
    }  # fmt: skip
    assert found.layout.classes == 3


def _four(order: tuple[str, ...], boxes: int = 10) -> TfliteBuilder:
    numbers = made.random()
    parts = {
        "boxes": numbers.uniform(0, 1, (1, boxes, 4)).astype(np.float32),
        "classes": np.arange(boxes, dtype=np.float32)[None] % 7,
        "scores": np.linspace(0.9, 0.1, boxes, dtype=np.float32)[None],
        "count": np.array([boxes], np.float32),
    }
    return plain({role: parts[role] for role in order}, size=(96, 96), dtype="uint8", scale=1 / 128, zero_point=127)


@pytest.mark.parametrize(
    "order",
    [
        ("count", "scores", "classes", "boxes"),
        ("boxes", "classes", "scores", "count"),
        ("scores", "boxes", "count", "classes"),
        ("boxes", "scores", "classes", "count"),  # in no list: the run's numbers tell classes from scores
        ("classes", "boxes", "scores", "count"),
    ],
    ids="-".join,
)
@pytest.mark.parametrize("boxes", [4, 25])
def test_four_outputs_without_the_operator_are_put_in_order(order: tuple[str, ...], boxes: int, tmp_path: Path) -> None:
    found = inspect(_four(order, boxes), tmp_path)

    assert found.layout is not None, found.reason
    assert {role: view.index for role, view in found.layout.outputs.items()} == {
        role: order.index(role) for role in _SLOTS
    }
    assert found.layout.classes == 90  # assumed, and said so
    assert any("assumed" in note for note in found.notes)


def test_signature_names_decide_the_order_of_four_outputs(tmp_path: Path) -> None:
    build = _four(("scores", "boxes", "count", "classes"))
    outputs = dict(zip(("output_1", "output_3", "output_0", "output_2"), build.output_indices(), strict=True))
    build.sign(outputs)

    found = inspect(build, tmp_path)

    assert found.layout is not None
    assert found.layout.outputs["scores"].index == 0
    assert found.layout.outputs["classes"].index == 3


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("pixels", [False, True])
def test_yolov8_is_recognised_in_both_axis_orders_and_units(transposed: bool, pixels: bool, tmp_path: Path) -> None:
    found = inspect(made.yolov8(transposed=transposed, pixels=pixels), tmp_path)

    assert found.layout is not None, found.reason
    assert found.layout.family is Family.YOLOV8
    assert found.layout.transposed is transposed
    assert found.layout.box_units == ("pixels" if pixels else "normalised")
    assert found.layout.score_kind == "probability"
    assert found.labels[0] == "person"


@pytest.mark.parametrize("strides", [(8, 16, 32, 64), (4, 8, 16, 32)])
def test_yolov8_with_more_levels_is_recognised_by_its_cells(strides: tuple[int, ...], tmp_path: Path) -> None:
    found = inspect(made.yolov8(classes=5, strides=strides, size=(128, 64)), tmp_path)

    assert found.layout is not None, found.reason
    assert found.layout.family is Family.YOLOV8
    assert found.layout.strides == strides
    assert (found.layout.input.width, found.layout.input.height) == (128, 64)


@pytest.mark.parametrize("classes", [1, 2, 80])
@pytest.mark.parametrize("strides", [(8, 16, 32), (8, 16, 32, 64)])
def test_yolov5_is_recognised_by_three_candidates_a_cell(
    classes: int, strides: tuple[int, ...], tmp_path: Path
) -> None:
    found = inspect(made.yolov5(classes=classes, strides=strides), tmp_path)

    assert found.layout is not None, found.reason
    assert found.layout.family is Family.YOLOV5
    assert found.layout.classes == classes
    assert found.layout.strides == strides
    assert found.layout.transposed


@pytest.mark.parametrize("pixels", [False, True])
def test_yolov5_boxes_are_told_in_pixels_or_normalised(pixels: bool, tmp_path: Path) -> None:
    found = inspect(made.yolov5(pixels=pixels), tmp_path)

    assert found.layout is not None
    assert found.layout.box_units == ("pixels" if pixels else "normalised")


@pytest.mark.parametrize("raw", [False, True])
def test_yolox_is_told_decoded_from_raw(raw: bool, tmp_path: Path) -> None:
    found = inspect(made.yolox(raw=raw), tmp_path)

    assert found.layout is not None, found.reason
    assert found.layout.family is Family.YOLOX
    assert found.layout.grid == ("raw" if raw else "decoded")
    assert found.layout.input.mean == (0.0, 0.0, 0.0)
    assert found.layout.input.std == (1.0, 1.0, 1.0)


def test_labels_decide_between_yolox_and_a_transposed_yolov8(tmp_path: Path) -> None:
    as_yolox = inspect(made.yolox(classes=3), tmp_path, Hints(labels=("a", "b", "c"), labels_from="a test"))
    as_yolov8 = inspect(made.yolox(classes=3), tmp_path, Hints(labels=("a", "b", "c", "d"), labels_from="a test"))

    assert as_yolox.family is Family.YOLOX
    assert as_yolov8.family is Family.YOLOV8


@pytest.mark.parametrize(("operator", "family"), [("EXP", Family.YOLOX), ("SOFTMAX", Family.YOLOV8)])
def test_operators_decide_between_yolox_and_a_transposed_yolov8(operator: str, family: Family, tmp_path: Path) -> None:
    """YOLOX decodes its sizes with EXP, YOLOv8 its distances with SOFTMAX."""
    build = plain({})
    build.output("Identity", made.probabilities(made.CELLS, 8)[None] - 1, through=operator)

    found = inspect(build, tmp_path, Hints())

    assert found.family is family, found.reason


def test_an_undecidable_output_is_refused_until_the_family_is_named(tmp_path: Path) -> None:
    refused = inspect(made.yolox(classes=3), tmp_path)
    named = inspect(made.yolox(classes=3), tmp_path, Hints(family=Family.YOLOX))

    assert "--family" in refused.reason
    assert "yolox with 3 classes" in refused.reason
    assert named.family is Family.YOLOX


@pytest.mark.parametrize("strides", [(8, 16, 32), (8, 16, 32, 64)])
def test_our_own_distances_are_recognised(strides: tuple[int, ...], tmp_path: Path) -> None:
    found = inspect(made.ltrb(strides=strides), tmp_path)

    assert found.layout is not None, found.reason
    assert found.layout.family is Family.LTRB
    assert found.layout.strides == strides
    assert found.layout.outputs["boxes"].name == "boxes"


@pytest.mark.parametrize("pixels", [False, True])
@pytest.mark.parametrize("transposed", [False, True])
def test_split_yolov8_boxes_follow_the_grid_and_are_no_distances(
    pixels: bool, transposed: bool, tmp_path: Path
) -> None:
    tables = {"boxes": made.decoded_boxes(pixels=pixels), "scores": made.probabilities(made.CELLS, 6)}
    build = plain({name: (table if transposed else table.T)[None] for name, table in tables.items()})

    found = inspect(build, tmp_path)

    assert found.layout is not None, found.reason
    assert found.layout.family is Family.YOLOV8
    assert set(found.layout.outputs) == {"boxes", "scores"}
    assert found.layout.transposed is transposed
    assert found.layout.box_units == ("pixels" if pixels else "normalised")


def test_a_pair_with_four_classes_is_told_apart_by_its_numbers(tmp_path: Path) -> None:
    boxes, scores = made.decoded_boxes(pixels=True), made.probabilities(made.CELLS, 4)
    found = inspect(plain({"second": scores[None], "first": boxes[None]}), tmp_path)

    assert found.layout is not None, found.reason
    assert found.layout.outputs["scores"].name == "second"


def test_split_boxes_as_corners_are_refused_with_the_reason(tmp_path: Path) -> None:
    boxes = made.decoded_boxes()
    corners = np.concatenate([boxes[:, :2] - boxes[:, 2:] / 8, boxes[:, :2] + boxes[:, 2:] / 8], axis=1)

    found = inspect(plain({"boxes": corners[None], "scores": made.probabilities(made.CELLS, 6)[None]}), tmp_path)

    assert "two corners" in found.reason


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("scores_first", [False, True])
@pytest.mark.parametrize("classes", [1, 64, 80])
def test_the_two_tensor_export_is_recognised(
    transposed: bool, scores_first: bool, classes: int, tmp_path: Path
) -> None:
    found = inspect(made.dfl(classes=classes, transposed=transposed, scores_first=scores_first), tmp_path)

    assert found.layout is not None, found.reason
    assert found.layout.family is Family.YOLO_DFL
    assert found.layout.score_kind == "logit"
    assert found.layout.transposed is transposed
    assert found.layout.outputs["boxes"].name == "out_boxes"
    assert found.layout.classes == classes


@pytest.mark.parametrize("pixels", [False, True])
def test_end_to_end_boxes_are_told_in_pixels_or_normalised(pixels: bool, tmp_path: Path) -> None:
    found = inspect(made.end2end(pixels=pixels), tmp_path)

    assert found.layout is not None, found.reason
    assert found.layout.family is Family.YOLO_END2END
    assert found.layout.box_units == ("pixels" if pixels else "normalised")
    assert found.layout.classes == 80


def test_an_end_to_end_model_that_sees_nothing_is_not_refused(tmp_path: Path) -> None:
    found = inspect(plain({"Identity": np.zeros((1, 100, 6), np.float32)}), tmp_path)

    assert found.usable
    assert found.family is Family.YOLO_END2END


@pytest.mark.parametrize(
    ("count", "size", "strides"),
    [(896, 128, (8, 16, 16, 16)), (896, 256, (16, 32, 32, 32)), (2304, 192, (4,))],
)
def test_blazeface_is_recognised_by_anchors_that_fit(
    count: int, size: int, strides: tuple[int, ...], tmp_path: Path
) -> None:
    found = inspect(made.blazeface(count=count, size=size), tmp_path)

    assert found.layout is not None, found.reason
    assert found.layout.family is Family.BLAZEFACE
    assert found.layout.strides == strides
    assert found.layout.score_kind == "logit"
    assert found.labels == ("face",)
    assert found.layout.input.mean == (127.5,) * 3


def test_blazeface_with_unknown_anchors_is_refused(tmp_path: Path) -> None:
    found = inspect(made.blazeface(count=777, size=128), tmp_path)

    assert "777 anchors" in found.reason


@pytest.mark.parametrize("kind", ["output", "constant"])
def test_a_raw_ssd_takes_the_anchors_that_the_file_holds(kind: str, tmp_path: Path) -> None:
    found = inspect(made.raw_ssd(count=50, columns=4, with_anchors=kind), tmp_path)

    assert found.layout is not None, found.reason
    assert found.layout.family is Family.SSD_RAW
    assert found.layout.anchors is not None
    assert found.layout.anchors.kind == kind
    assert found.layout.background
    assert found.layout.classes == 3
    assert ("anchors" in found.layout.outputs) is (kind == "output")


@pytest.mark.parametrize(("size", "count"), [(300, 1917), (320, 2034)])
def test_a_raw_ssd_without_anchors_gets_the_default_ones_if_the_count_fits(
    size: int, count: int, tmp_path: Path
) -> None:
    found = inspect(made.raw_ssd(count=count, columns=91, size=(size, size)), tmp_path)

    assert found.layout is not None, found.reason
    assert found.layout.anchors is not None
    assert found.layout.anchors.kind == "generated"
    assert found.layout.classes == 90
    assert any("anchors" in note for note in found.notes)


def test_a_raw_ssd_whose_anchors_nobody_knows_is_refused(tmp_path: Path) -> None:
    found = inspect(made.raw_ssd(count=50, columns=4), tmp_path)

    assert "anchors" in found.reason
    assert "50 candidates" in found.reason


def test_labels_decide_whether_a_raw_ssd_has_a_background_column(tmp_path: Path) -> None:
    build = made.raw_ssd(count=50, columns=4, with_anchors="constant")

    found = inspect(build, tmp_path, Hints(labels=("a", "b", "c", "d"), labels_from="a test"))

    assert found.layout is not None
    assert not found.layout.background
    assert found.layout.classes == 4


def test_a_sigmoid_in_the_graph_makes_probabilities(tmp_path: Path) -> None:
    build = plain({"boxes": made.random().normal(0, 2, (1, made.CELLS, 64)).astype(np.float32)})
    build.output("scores", made.logits(made.CELLS, 4)[None], through="LOGISTIC")

    found = inspect(build, tmp_path)

    assert found.layout is not None
    assert found.layout.score_kind == "probability"


def test_a_yolov8_without_its_sigmoid_gives_logits(tmp_path: Path) -> None:
    table = np.concatenate([made.decoded_boxes(), made.logits(made.CELLS, 80)], axis=1)

    found = inspect(plain({"Identity": table.T[None]}), tmp_path)

    assert found.layout is not None, found.reason
    assert found.layout.score_kind == "logit"


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_a_quantised_yolov8_keeps_its_scale_and_zero_point(dtype: str, tmp_path: Path) -> None:
    table = np.concatenate([made.decoded_boxes(), made.probabilities(made.CELLS, 80)], axis=1).T[None]
    lowest = np.iinfo(dtype).min
    build = plain({}, dtype=dtype, scale=1 / 255, zero_point=lowest)
    build.output("out", quantise(table, 0.005, lowest + 9, dtype), scale=0.005, zero_point=lowest + 9)

    found = inspect(build, tmp_path)

    assert found.layout is not None, found.reason
    output = found.layout.outputs["output"]
    assert (output.dtype, round(output.scale, 6), output.zero_point) == (dtype, 0.005, lowest + 9)
    assert found.layout.box_units == "normalised"
    assert found.layout.input.mean == (0.0,) * 3
    assert found.layout.input.std == (255.0,) * 3


def test_a_channels_first_input_is_recognised(tmp_path: Path) -> None:
    table = np.concatenate([made.decoded_boxes(), made.probabilities(made.CELLS, 80)], axis=1)

    found = inspect(plain({"out": table.T[None]}, axes="nchw"), tmp_path)

    assert found.layout is not None, found.reason
    assert found.layout.input.axes == "nchw"
    assert (found.layout.input.width, found.layout.input.height) == (64, 64)

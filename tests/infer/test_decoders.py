"""Every family: known boxes come back, and random tensors are read as a plain slow decoder reads them."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.core.errors import ConfigError, ModelError
from edge.core.model import AnchorLayout, Family, ModelLayout
from edge.core.values import Tensor
from edge.infer.decoding import make_decoder
from edge.infer.ssd_anchors import default_anchors
from tests.contracts.decoder import check_decoder_answer, check_decoder_keeps_inputs
from tests.infer.encode import encode, store
from tests.infer.layouts import make_layout
from tests.infer.reference import decode_slowly

VARIANTS: dict[str, tuple[Family, dict[str, Any]]] = {
    "ssd-raw": (Family.SSD_RAW, {"background": True}),
    "ssd-raw without background": (Family.SSD_RAW, {}),
    "ssd-raw with logits": (Family.SSD_RAW, {"background": True, "score_kind": "logit"}),
    "ssd-raw with anchors as an output": (Family.SSD_RAW, {"anchors": AnchorLayout(kind="output")}),
    "yolov5": (Family.YOLOV5, {}),
    "yolov8": (Family.YOLOV8, {}),
    "yolov8 split": (Family.YOLOV8, {"split": True}),
    "yolov8 split with logits": (Family.YOLOV8, {"split": True, "score_kind": "logit"}),
    "yolo-dfl": (Family.YOLO_DFL, {"score_kind": "logit"}),
    "yolo-dfl with probabilities": (Family.YOLO_DFL, {}),
    "yolox": (Family.YOLOX, {}),
    "ltrb": (Family.LTRB, {}),
    "ltrb with logits": (Family.LTRB, {"score_kind": "logit"}),
    "blazeface": (Family.BLAZEFACE, {}),
}
FLOAT_ONLY: dict[str, tuple[Family, dict[str, Any]]] = {
    "ssd-postprocess": (Family.SSD_POSTPROCESS, {}),
    "ssd-postprocess in pixels": (Family.SSD_POSTPROCESS, {"box_units": "pixels"}),
    "yolo-end2end": (Family.YOLO_END2END, {}),
    "yolo-end2end in pixels": (Family.YOLO_END2END, {"box_units": "pixels"}),
    "yolov8 in pixels": (Family.YOLOV8, {"box_units": "pixels"}),
    "yolov5 in pixels": (Family.YOLOV5, {"box_units": "pixels"}),
    "yolox in pixels": (Family.YOLOX, {"box_units": "pixels"}),
    "yolox raw": (Family.YOLOX, {"grid": "raw"}),
    "yolov5 with logits": (Family.YOLOV5, {"score_kind": "logit"}),
}
CASES = [
    pytest.param(family, {**changes, "dtype": dtype, "transposed": transposed}, id=f"{name}-{dtype}-{order}")
    for variants, dtypes in ((VARIANTS, ("float32", "int8", "uint8")), (FLOAT_ONLY, ("float32",)))
    for name, (family, changes) in variants.items()
    for dtype in dtypes
    for order, transposed in (("channels first", False), ("candidates first", True))
]
# Apart from each other, of several sizes, in a 128 x 96 input.
KNOWN = np.array([[8, 8, 40, 56], [60, 20, 116, 50], [30, 60, 70, 90]], np.float64)


@pytest.mark.parametrize(("family", "changes"), CASES)
def test_known_boxes_come_back(family: Family, changes: dict[str, Any]) -> None:
    layout = make_layout(family, **changes)
    scores, class_ids = np.array([0.9, 0.8, 0.7]), np.array([2, 0, 1]) % layout.classes

    found = make_decoder(layout, threshold=0.5).decode(encode(layout, KNOWN, scores, class_ids))

    assert found.class_ids.tolist() == class_ids.tolist()
    assert found.scores == pytest.approx(scores, abs=0.02)
    # One quantisation step of the coarsest tensor here (distances of 40 strides of 32 px in 255 steps) is 5 px.
    step = 1e-2 if changes["dtype"] == "float32" else 3.0
    np.testing.assert_allclose(found.boxes, KNOWN, atol=step)
    check_decoder_answer(found, max_boxes=300, threshold=0.5, classes=layout.classes)


@pytest.mark.parametrize("multi_label", [False, True], ids=["best class", "all classes"])
@pytest.mark.parametrize(
    ("family", "changes"), [c for c in CASES if c.values[0] not in (Family.SSD_POSTPROCESS, Family.YOLO_END2END)]
)
def test_random_tensors_are_read_as_a_slow_decoder_reads_them(family, changes, multi_label) -> None:
    layout = make_layout(family, **changes, size=(64, 64))
    outputs = random_outputs(layout, seed=len(str(changes)))
    threshold = 0.6 if family in (Family.YOLOV5, Family.YOLOX) else 0.83

    decoder = make_decoder(layout, threshold=threshold, multi_label=multi_label, max_boxes=40)
    found = decoder.decode(outputs)

    expected = decode_slowly(layout, outputs, threshold=threshold, multi_label=multi_label, max_boxes=40)
    assert len(found) == len(expected) > 0
    np.testing.assert_allclose(found.scores, [one.score for one in expected], rtol=1e-5)
    for mine, theirs in zip(_sorted(found.boxes, found.class_ids, found.scores), _sorted_found(expected), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-3, atol=2e-2)
    check_decoder_answer(found, max_boxes=40, threshold=threshold, classes=layout.classes)
    check_decoder_keeps_inputs(decoder.decode, outputs)


@pytest.mark.parametrize(("family", "changes"), CASES)
def test_an_empty_scene_gives_nothing(family, changes) -> None:
    layout = make_layout(family, **changes)
    nothing = encode(layout, np.zeros((0, 4)), np.zeros(0), np.zeros(0, np.int64))

    found = make_decoder(layout, threshold=0.3).decode(nothing)

    assert len(found) == 0


@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("family", "changes"), [c for c in CASES if c.values[1]["dtype"] == "float32"])
def test_boxes_that_are_none_are_dropped_and_counted(family, changes, poison) -> None:
    layout = make_layout(family, **changes)
    outputs = encode(layout, KNOWN, np.array([0.9, 0.8, 0.7]), np.array([0, 0, 0]))
    index = layout.outputs["output" if "output" in layout.outputs else "boxes"].index
    values = outputs[index].values
    plane = values[0] if layout.transposed or family is Family.SSD_POSTPROCESS else values[0].T
    # One bin at minus infinity is a fair distribution; all of them are none.
    plane[:, : 64 if family is Family.YOLO_DFL else 2] = poison
    decoder = make_decoder(layout, threshold=0.5)

    found = decoder.decode(outputs)

    assert len(found) == 0
    assert decoder.rejected == 3


@pytest.mark.parametrize(("family", "changes"), [c for c in CASES if c.values[1]["dtype"] == "float32"])
def test_scores_that_are_no_numbers_give_nothing(family, changes) -> None:
    layout = make_layout(family, **changes)
    outputs = encode(layout, KNOWN, np.array([0.9, 0.8, 0.7]), np.array([0, 0, 0]))
    index = layout.outputs["output" if "output" in layout.outputs else "scores"].index
    values = outputs[index].values
    plane = values[0] if layout.transposed or family is Family.SSD_POSTPROCESS else values[0].T
    if plane.ndim == 1:
        plane[:] = np.nan
    else:
        plane[:, 4 if "output" in layout.outputs else 0 :] = np.nan

    found = make_decoder(layout, threshold=0.5).decode(outputs)

    assert len(found) == 0


def test_a_class_that_is_no_number_does_not_hide_the_others() -> None:
    layout = make_layout(Family.YOLOV8)
    outputs = encode(layout, KNOWN[:1], np.array([0.9]), np.array([2]))
    outputs[0].values[0, 4] = np.nan

    found = make_decoder(layout, threshold=0.5).decode(outputs)

    assert found.class_ids.tolist() == [2]


@pytest.mark.parametrize(
    "order",
    [
        ("boxes", "classes", "scores", "count"),
        ("count", "scores", "classes", "boxes"),
        ("scores", "boxes", "count", "classes"),
    ],
)
@pytest.mark.parametrize("room", [1, 10, 20, 100])
def test_ssd_outputs_are_found_by_role_in_any_order(order, room) -> None:
    layout = make_layout(Family.SSD_POSTPROCESS)
    shapes = {"boxes": (1, room, 4), "classes": (1, room), "scores": (1, room), "count": (1,)}
    base = layout.outputs["boxes"].__class__
    layout = make_layout_with(layout, {r: base(name=r, index=order.index(r), shape=shapes[r]) for r in order})
    outputs = encode(layout, KNOWN, np.array([0.9, 0.8, 0.7]), np.array([0, 1, 2]))

    found = make_decoder(layout, threshold=0.5).decode(outputs)

    np.testing.assert_allclose(found.boxes, KNOWN[:room], atol=1e-3)
    assert found.class_ids.tolist() == [0, 1, 2][:room]


@pytest.mark.parametrize(("count", "expected"), [(0.0, 0), (2.0, 2), (99.0, 3), (-1.0, 0), (np.nan, 0)])
def test_ssd_tells_no_more_boxes_than_it_counts(count, expected) -> None:
    layout = make_layout(Family.SSD_POSTPROCESS)
    outputs = list(encode(layout, KNOWN, np.array([0.9, 0.8, 0.7]), np.array([0, 1, 2])))
    outputs[3] = Tensor(np.array([count], np.float32))

    found = make_decoder(layout, threshold=0.5).decode(tuple(outputs))

    assert len(found) == expected


@pytest.mark.parametrize("class_id", [-1.0, 3.0, 1e20, np.nan])
def test_classes_without_a_label_are_dropped_and_counted(class_id) -> None:
    layout = make_layout(Family.SSD_POSTPROCESS)
    outputs = encode(layout, KNOWN[:2], np.array([0.9, 0.8]), np.array([0, 1]))
    outputs[1].values[0, 0] = class_id
    decoder = make_decoder(layout, threshold=0.5)

    found = decoder.decode(outputs)

    assert found.class_ids.tolist() == [1]
    assert decoder.rejected == 1


@pytest.mark.parametrize("bins", [1, 8, 16, 32])
def test_dfl_takes_any_number_of_bins(bins) -> None:
    layout = make_layout(Family.YOLO_DFL)
    boxes = layout.outputs["boxes"]
    wide = boxes.__class__(name="boxes", index=0, shape=(1, boxes.shape[1], 4 * bins))
    layout = make_layout_with(layout, {**layout.outputs, "boxes": wide})
    rng = np.random.default_rng(bins)
    raw = rng.uniform(0.5, 3.0, wide.shape).astype(np.float32)
    scores = np.zeros(layout.outputs["scores"].shape, np.float32)
    scores[0, [3, 90, 200], 1] = 0.9
    outputs = (Tensor(raw), Tensor(scores))

    found = make_decoder(layout, threshold=0.5).decode(outputs)

    expected = decode_slowly(layout, outputs, threshold=0.5)
    np.testing.assert_allclose(found.boxes, [one.box for one in expected], rtol=1e-4)


@pytest.mark.parametrize(("size", "count"), [(128, 896), (192, 2304), (256, 896)])
def test_blazeface_places_its_anchors_for_each_published_size(size, count) -> None:
    layout = blazeface_layout(size, count)
    corner = np.array([[4.0, 4.0, size / 4, size / 4], [size / 2, size / 2, size - 6.0, size - 9.0]])

    found = make_decoder(layout, threshold=0.5).decode(encode(layout, corner, np.array([0.9, 0.8]), np.array([0, 0])))

    np.testing.assert_allclose(found.boxes, corner, atol=1e-2)


def test_a_huge_logit_is_a_sure_face_and_not_an_overflow() -> None:
    layout = make_layout(Family.BLAZEFACE)
    outputs = encode(layout, KNOWN[:1], np.array([0.9]), np.array([0]))
    scores = outputs[1].values
    scores[scores > 0] = 1e30
    scores[scores < 0] = -1e30

    found = make_decoder(layout, threshold=0.5).decode(outputs)

    assert found.scores.tolist() == [1.0]


def test_raw_ssd_takes_the_anchors_of_the_file() -> None:
    layout = make_layout(Family.SSD_RAW, anchors=AnchorLayout(kind="constant", tensor=7))
    outputs = encode(layout, KNOWN, np.array([0.9, 0.8, 0.7]), np.array([0, 1, 2]))
    anchors = default_anchors(width=128, height=96)
    found = make_decoder(layout, threshold=0.5, anchors=anchors).decode(outputs)

    np.testing.assert_allclose(found.boxes, KNOWN, atol=1e-2)


def test_default_ssd_anchors_are_1917_at_300_pixels() -> None:
    assert default_anchors(width=300, height=300).shape == (1917, 4)
    assert default_anchors(width=320, height=320).shape == (2034, 4)


@pytest.mark.parametrize(
    ("family", "changes", "words"),
    [
        (Family.YOLOV8, {"classes": 4}, "is the number of labels right"),
        (Family.YOLOV5, {"classes": 9}, "is the number of labels right"),
        (Family.LTRB, {"strides": (8, 16)}, "are the strides in the card right"),
        (Family.SSD_RAW, {"anchors": None}, "where the anchors come from"),
        (Family.SSD_RAW, {"anchors": AnchorLayout(kind="constant", tensor=7)}, "tensor 7"),
        (Family.SSD_RAW, {"outputs": {}}, "role scores"),
        (Family.BLAZEFACE, {"input": None}, "no known BlazeFace"),
    ],
)
def test_a_layout_that_contradicts_itself_is_refused(family, changes, words) -> None:
    layout = make_layout(family)
    if family is Family.BLAZEFACE:
        changes = {"input": make_layout(Family.LTRB).input}
    wrong = make_layout_with(layout, changes.pop("outputs", layout.outputs), **changes)

    with pytest.raises(ModelError, match=words):
        make_decoder(wrong, threshold=0.5)


@pytest.mark.parametrize("wrong", [{"threshold": 1.5}, {"threshold": -0.1}, {"nms_iou": 2.0}, {"max_boxes": 0}])
def test_numbers_out_of_range_are_refused(wrong) -> None:
    with pytest.raises(ConfigError, match="expected"):
        make_decoder(make_layout(Family.YOLOV8), **{"threshold": 0.5, **wrong})


def test_every_family_has_a_decoder() -> None:
    for family in Family:
        make_decoder(make_layout(family), threshold=0.5)


def make_layout_with(layout: ModelLayout, outputs, **changes) -> ModelLayout:
    fields = {name: getattr(layout, name) for name in layout.__struct_fields__}
    return ModelLayout(**{**fields, "outputs": outputs, **changes})


def blazeface_layout(size: int, count: int) -> ModelLayout:
    layout = make_layout(Family.BLAZEFACE)
    output = layout.outputs["boxes"].__class__
    outputs = {
        "boxes": output(name="boxes", index=0, shape=(1, count, 16)),
        "scores": output(name="scores", index=1, shape=(1, count, 1)),
    }
    into = layout.input.__class__(name="image", width=size, height=size, dtype="float32")
    return make_layout_with(layout, outputs, input=into)


def random_outputs(layout: ModelLayout, *, seed: int) -> tuple[Tensor, ...]:
    """Numbers all over what each tensor can hold, so that many boxes overlap and some are none."""
    rng = np.random.default_rng(seed)
    spans = {"output": (0.0, 1.0), "scores": (0.0, 1.0), "boxes": (0.0, 1.0), "anchors": (0.05, 0.9)}
    if layout.score_kind == "logit":
        spans["scores"] = (-6.0, 5.0)
        spans["output"] = (-3.0, 8.0)
    if layout.family in (Family.LTRB, Family.YOLO_DFL, Family.SSD_RAW):
        spans["boxes"] = (-2.0, 6.0)
    if layout.family is Family.BLAZEFACE:
        spans["boxes"] = (-10.0, 60.0)
    tensors: dict[int, Tensor] = {}
    for role, output in layout.outputs.items():
        real: NDArray[np.float64] = rng.uniform(*spans[role], output.shape[1:])
        tensors[output.index] = store(output, real)
    return tuple(tensors[index] for index in sorted(tensors))


def _sorted(boxes, class_ids, scores):
    rows = np.column_stack([np.round(scores, 5), class_ids, boxes])
    return rows[np.lexsort(np.round(rows, 2).T[::-1])]


def _sorted_found(found):
    boxes = np.array([one.box for one in found])
    return _sorted(boxes, [one.class_id for one in found], np.array([one.score for one in found]))


@pytest.mark.parametrize("poison", [np.nan, np.inf])
@pytest.mark.parametrize(("family", "changes"), [c for c in CASES if c.values[1]["dtype"] == "float32"])
def test_scores_that_are_none_are_counted(family, changes, poison) -> None:
    layout = make_layout(family, **changes)
    outputs = encode(layout, KNOWN, np.array([0.9, 0.8, 0.7]), np.array([0, 0, 0]))
    index = layout.outputs["output" if "output" in layout.outputs else "scores"].index
    values = outputs[index].values
    plane = values[0] if layout.transposed or family is Family.SSD_POSTPROCESS else values[0].T
    places = plane if plane.ndim == 1 else plane[:, 4 if "output" in layout.outputs else 0 :]
    places[:3] = poison
    decoder = make_decoder(layout, threshold=0.5)

    found = decoder.decode(outputs)

    assert (found.scores <= 1).all()
    assert decoder.rejected >= 3

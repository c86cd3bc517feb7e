"""An SSD cut off before its post-processing: a graph of the same file, read by our own decoder."""

import numpy as np
import pytest

from edge.assemble.detector import open_detector
from edge.catalog.model_file import parse_model
from edge.catalog.raw_boxes import cut_postprocess
from edge.catalog.store import find_model
from edge.core.errors import ModelError
from edge.core.geometry import pairwise_iou
from edge.core.model import Family
from tests.builders import make_frame
from tests.shared_models import shared_model
from tests.tflite_builder import ssd_postprocess

ANCHORS = np.array(
    [[0.1 + 0.2 * row, 0.1 + 0.2 * column, 0.15, 0.15] for row in range(5) for column in range(5)], np.float32
)
ENCODINGS = np.random.default_rng(4).normal(0, 0.5, (1, 25, 4)).astype(np.float32)
SCORES = np.random.default_rng(5).uniform(0.5, 0.9, (1, 25, 3)).astype(np.float32)


@pytest.fixture
def ssd(tmp_path):
    """25 places that all score, of which the graph keeps ten; with a label file."""
    path = ssd_postprocess(encodings=ENCODINGS, scores=SCORES, anchors=ANCHORS).write(tmp_path / "ssd.tflite")
    (tmp_path / "ssd.txt").write_text("person\ncar\n")
    return find_model(str(path))


def test_raw_boxes_are_the_graphs_own_and_those_it_left_out(ssd):
    frame = make_frame(size=(96, 96))

    kept = open_detector(ssd, threshold=0.3).detect(frame)
    raw = open_detector(ssd, threshold=0.3, boxes="raw").detect(frame)

    assert len(raw) > len(kept) == 10
    overlaps = pairwise_iou(kept.boxes, raw.boxes)
    assert (overlaps.max(axis=1) > 0.99).all()


def test_the_cut_graph_ends_in_what_the_operator_read(ssd):
    content = ssd.path.read_bytes()

    cut = cut_postprocess(ssd, content)

    graph = parse_model(cut.content)
    assert [graph.tensors[index].name for index in graph.outputs] == ["encodings", "class_scores"]
    assert graph.operators == ()
    assert len(cut.content) == len(content)
    assert (cut.layout.family, cut.layout.background, cut.layout.classes) == (Family.SSD_RAW, True, 2)


def test_a_model_without_the_operator_is_refused():
    model = find_model("edge-default")

    with pytest.raises(ModelError, match=r"graph ends in TFLite_Detection_PostProcess.*found the family ltrb"):
        cut_postprocess(model, model.path.read_bytes())


@pytest.mark.shared
@pytest.mark.parametrize("name", ["ssd_mobilenet_v1_coco_uint8", "mobile_object_localizer_v1_uint8"])
def test_real_files_are_read_before_their_post_processing(shared, name):
    model = (
        shared_model(shared, f"{name}.tflite") if "ssd" in name else find_model(str(shared / f"models/{name}.tflite"))
    )
    frame = make_frame(np.random.default_rng(1).integers(0, 256, (480, 640, 3), np.uint8))

    kept = open_detector(model, threshold=0.02, threads=1).detect(frame)
    raw = open_detector(model, threshold=0.02, threads=1, boxes="raw").detect(frame)

    assert len(raw) >= len(kept) > 0
    best = pairwise_iou(kept.boxes[:3], raw.boxes).max(axis=1)
    assert (best > 0.95).all()

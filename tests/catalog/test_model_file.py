"""The reader of model files: right on good ones, a ModelError on bad ones, never anything else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.catalog.flexbuffer import read_options
from edge.catalog.graph import Graph
from edge.catalog.metadata import read_metadata
from edge.catalog.model_file import parse_model
from edge.core.errors import ModelError
from edge.core.shared_files import shared_folder
from tests.catalog import made_models as made
from tests.tflite_builder import POSTPROCESS_OPTIONS, TfliteBuilder, ssd_postprocess


def _sample() -> bytes:
    build = ssd_postprocess(**made.postprocess_parts(classes=2, count=3))
    build.sign({"output_0": build.output_indices()[0]})
    build.attach("labelmap.txt", "person\ncar\n")
    build.normalisation(mean=[127.5], std=[127.5])
    return build.to_bytes()


_SAMPLE = _sample()


def test_tensors_operators_and_signatures_are_read() -> None:
    model = parse_model(_SAMPLE)

    tensor = model.tensors[model.inputs[0]]
    assert (tensor.name, tensor.shape, tensor.dtype) == ("image", (1, 96, 96, 3), "uint8")
    assert (tensor.scale, tensor.zero_point) == (1 / 128, 128)
    assert [op.name for op in model.operators] == ["TFLite_Detection_PostProcess"]
    assert dict(model.signature) == {"output_0": model.outputs[0]}
    anchors = model.constant(model.operators[0].inputs[2])
    assert anchors is not None
    assert np.array_equal(anchors, made.anchors(3))


def test_the_shipped_model_reads_as_the_official_schema_reads_it() -> None:
    content = (shared_folder("models") / "edge-default.tflite").read_bytes()
    graph = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0)).subgraphs[0]

    model = parse_model(content)

    assert [t.name for t in model.tensors] == [t.name.decode() for t in graph.tensors]
    assert [t.shape for t in model.tensors] == [tuple(t.shape) if t.shape is not None else () for t in graph.tensors]
    assert [op.outputs for op in model.operators] == [tuple(op.outputs) for op in graph.operators]


@pytest.mark.parametrize(("deprecated", "code", "name"), [(127, 150, "GELU"), (22, 0, "RESHAPE"), (22, 22, "RESHAPE")])
def test_old_and_new_operator_codes_are_understood(deprecated: int, code: int, name: str) -> None:
    build = made.ltrb()
    for entry in build._codes:
        entry.deprecatedBuiltinCode, entry.builtinCode = deprecated, code

    assert parse_model(build.to_bytes()).operators[0].name == name


def test_per_channel_quantisation_is_no_scale_of_the_whole_tensor() -> None:
    build = TfliteBuilder()
    index = build.input("image", (1, 8, 8, 3), "int8", scale=0.5, zero_point=1)
    build._graph.tensors[index].quantization.scale = [0.1, 0.2, 0.3]
    build._graph.tensors[index].quantization.zeroPoint = [0, 0, 0]

    tensor = parse_model(build.to_bytes()).tensors[index]

    assert len(tensor.scales) == 3
    assert tensor.scale == 0.0


def test_options_of_a_custom_operator_are_read() -> None:
    options = read_options(parse_model(_SAMPLE).operators[0].options)

    assert options["num_classes"] == 2
    assert options["y_scale"] == POSTPROCESS_OPTIONS["y_scale"]
    assert options["nms_iou_threshold"] == pytest.approx(0.6)


@settings(max_examples=250, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, len(_SAMPLE) - 1), st.integers(0, 255)), min_size=1, max_size=12),
    st.integers(0, len(_SAMPLE)),
)
def test_damaged_bytes_give_a_model_error_or_a_model(changes: list[tuple[int, int]], length: int) -> None:
    content = bytearray(_SAMPLE)
    for position, value in changes:
        content[position] = value
    for candidate in (bytes(content), bytes(content[:length])):
        _read_all(candidate)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=600))
def test_random_bytes_behind_the_identifier_give_a_model_error(tail: bytes) -> None:
    _read_all(b"\x10\0\0\0TFL3" + tail)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_random_options_give_a_model_error_or_numbers(data: bytes) -> None:
    try:
        read_options(data)
    except ModelError:
        return


def _read_all(content: bytes) -> None:
    """Everything that is done with a file before the runtime sees it."""
    try:
        model = parse_model(content)
    except ModelError:
        return
    read_metadata(model)
    graph = Graph(model)
    for index in model.outputs:
        graph.sources(index)
        graph.depends_on_picture(index)
    for tensor in model.tensors:
        model.constant(tensor.index)


def test_a_real_file_with_one_byte_changed_in_its_structure_never_escapes(tmp_path: Path) -> None:
    content = bytearray((shared_folder("models") / "edge-default.tflite").read_bytes())
    numbers = made.random()
    for _ in range(150):
        changed = bytearray(content)
        for position in numbers.integers(0, 400, 3):
            changed[position] = int(numbers.integers(0, 256))
        _read_all(bytes(changed))

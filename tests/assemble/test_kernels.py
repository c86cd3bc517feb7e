"""Which kernels a replay computes with, and what is said of them."""

from dataclasses import replace
from functools import partial

import msgspec
import pytest
from ai_edge_litert.interpreter import OpResolverType

from edge.assemble.detector import open_detector
from edge.assemble.kernels import Computing, Kernels, Open, open_computing
from edge.catalog.store import find_model
from edge.core.errors import ModelError
from edge.core.model import Model
from edge.infer.detector import Detector
from edge.infer.runtime import Runtime
from tests.shared_models import shared_model


def computing(model: Model, asked: Kernels | None = None) -> Computing:
    opened = partial(open_detector, model, threads=1)
    return open_computing(model, asked, lambda runtime: opened(runtime=runtime))


def test_the_model_in_the_box_is_exact_at_full_speed():
    found = computing(find_model("edge-default"), Kernels.EXACT)

    assert (found.is_reference, found.doubt) == (False, "")


@pytest.mark.shared
def test_a_model_whose_fast_kernels_differ_gets_the_reference_kernels(shared):
    model = shared_model(shared, "ssd_mobilenet_v1_coco_uint8.tflite")

    assert computing(model).is_reference
    assert not computing(model).doubt
    assert not computing(model, Kernels.FAST).is_reference


@pytest.mark.shared
def test_real_numbers_are_computed_as_the_service_does_and_doubted(shared):
    model = shared_model(shared, "blazeface_short_range_128.tflite")

    found = computing(model)

    assert not found.is_reference
    assert "floating-point numbers (ADD, CONV_2D, DEPTHWISE_CONV_2D)" in found.doubt


@pytest.mark.shared
def test_who_insists_on_exactness_is_told_why_there_is_none(shared):
    model = shared_model(shared, "blazeface_short_range_128.tflite")

    with pytest.raises(ModelError, match=r"--kernels exact: expected.*floating-point numbers.*--kernels fast"):
        computing(model, Kernels.EXACT)


def refusing(*refused: str) -> Open:
    """Opens the model in the box where the runtime lacks its fast library, or takes it for too new."""
    opened = partial(open_detector, find_model("edge-default"), threads=1)

    def open_refusing(runtime: Runtime) -> Detector:
        if isinstance(runtime.interpreter_class, partial):
            if "reference" in refused:
                raise ModelError("Didn't find op for builtin opcode 'TILE' version '3'")
            return opened(runtime=runtime)
        plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        slow = partial(runtime.interpreter_class, experimental_op_resolver_type=plain)
        return opened(runtime=replace(runtime, interpreter_class=slow))

    return open_refusing


def test_without_the_fast_library_the_model_in_the_box_gets_the_reference_kernels():
    """What the runtime would take instead rounds otherwise on another processor."""
    found = open_computing(find_model("edge-default"), Kernels.EXACT, refusing())

    assert (found.is_reference, found.doubt) == (True, "")


def test_a_model_that_the_reference_kernels_refuse_is_doubted():
    found = open_computing(find_model("edge-default"), None, refusing("reference"))

    assert not found.is_reference
    assert "reference kernels don't take it" in found.doubt
    assert "TILE" in found.doubt


def test_a_model_for_an_accelerator_is_doubted():
    model = find_model("edge-default")
    there = replace(model, layout=msgspec.structs.replace(model.layout, backend="edgetpu"))

    found = open_computing(there, None, lambda runtime: open_detector(model, threads=1, runtime=runtime))

    assert found.doubt == "it runs on an accelerator"

"""Real files in the real runtime: what is loaded is what was described, and every failure is told in one sentence."""

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from edge.core.errors import MissingLibraryError, ModelError
from edge.core.model import Family, InputLayout, Model, ModelLayout, OutputLayout
from edge.infer.decoding import make_decoder
from edge.infer.interpreter import MAX_MODEL_BYTES, open_interpreter
from edge.infer.runtime import Runtime, load_runtime
from tests.contracts.interpreter import InterpreterContract, random_input
from tests.fakes_infer import RectangleInterpreter
from tests.infer.default_model import default_model, sha256_of
from tests.infer.layouts import make_layout
from tests.tflite_builder import TfliteBuilder, ssd_postprocess


@pytest.fixture(scope="module")
def runtime() -> Runtime:
    return load_runtime()


class TestLiteInterpreter(InterpreterContract):
    @pytest.fixture
    def layout(self):
        return default_model().layout

    @pytest.fixture
    def interpreter(self, runtime):
        return open_interpreter(default_model(), runtime, threads=1)


class TestRectangleInterpreter(InterpreterContract):
    @pytest.fixture
    def layout(self):
        return make_layout(Family.LTRB, dtype="int8")

    @pytest.fixture
    def interpreter(self, layout):
        return RectangleInterpreter(layout)


SSD_ENCODINGS = np.zeros((1, 4, 4), np.float32)
SSD_SCORES = np.array([[[0, 0.9, 0], [0, 0, 0.8], [0, 0.7, 0], [0, 0, 0]]], np.float32)
SSD_ANCHORS = np.array([[0.25, 0.25, 0.2, 0.3], [0.25, 0.75, 0.2, 0.2], [0.75, 0.75, 0.3, 0.2], [0.5, 0.5, 1, 1]])


def ssd_model(path: Path, order=("boxes", "classes", "scores", "count"), shapes=None) -> Model:
    build = ssd_postprocess(
        encodings=SSD_ENCODINGS, scores=SSD_SCORES, anchors=SSD_ANCHORS.astype(np.float32), order=order
    )
    build.write(path)
    slots = ("boxes", "classes", "scores", "count")
    names = {r: f"TFLite_Detection_PostProcess{f':{i}' if i else ''}" for i, r in enumerate(slots)}
    shapes = shapes or {"boxes": (1, 10, 4), "classes": (1, 10), "scores": (1, 10), "count": (1,)}
    layout = ModelLayout(
        family=Family.SSD_POSTPROCESS,
        input=InputLayout(name="image", width=96, height=96, dtype="uint8", scale=1 / 128, zero_point=128),
        outputs={role: OutputLayout(name=names[role], index=order.index(role), shape=shapes[role]) for role in order},
        classes=2,
    )
    return Model("ssd", path, sha256_of(path), layout, ("person", "car"))


@pytest.mark.parametrize(
    "order",
    [
        ("boxes", "classes", "scores", "count"),
        ("count", "scores", "classes", "boxes"),
        ("scores", "boxes", "count", "classes"),
    ],
)
def test_a_real_post_processing_operator_is_read_in_each_order(runtime, tmp_path, order):
    model = ssd_model(tmp_path / "ssd.tflite", order)
    interpreter = open_interpreter(model, runtime, threads=1)

    found = make_decoder(model.layout, threshold=0.5).decode(interpreter.invoke(random_input(model.layout, seed=1)))

    assert found.class_ids.tolist() == [0, 1, 0]
    assert found.scores == pytest.approx([0.9, 0.8, 0.7])
    expected = np.array([[0.1, 0.15, 0.4, 0.35], [0.65, 0.15, 0.85, 0.35], [0.65, 0.6, 0.85, 0.9]]) * 96
    np.testing.assert_allclose(found.boxes, expected, rtol=1e-4)


def test_post_processing_of_another_size_is_refused(runtime, tmp_path):
    wrong = {"boxes": (1, 20, 4), "classes": (1, 20), "scores": (1, 20), "count": (1,)}
    model = ssd_model(tmp_path / "ssd.tflite", shapes=wrong)

    with pytest.raises(ModelError, match=r"expected shape \(1, 20, 4\), the file has \(1, 10, 4\)"):
        open_interpreter(model, runtime, threads=1)


class LateShapes:
    """A runtime's interpreter whose outputs have no shape before the first run, as some published SSD files have."""

    def __init__(self, **_):
        self._inside = load_runtime().interpreter_class(model_path=str(default_model().path), num_threads=1)

    def get_output_details(self):
        return [{**details, "shape": np.array([], np.int32)} for details in self._inside.get_output_details()]

    def __getattr__(self, name):
        return getattr(self._inside, name)


def test_a_shape_that_shows_only_in_the_first_run_is_checked_then():
    runtime = Runtime("litert", "0", LateShapes, lambda *_: None)
    right = open_interpreter(default_model(), runtime, threads=1)
    wrong = open_interpreter(changed("scores", shape=(1, 1701, 80)), runtime, threads=1)
    picture = random_input(default_model().layout, seed=1)

    assert len(right.invoke(picture)) == 2
    with pytest.raises(ModelError, match=r"expected shape \(1, 1701, 80\), the file has \(1, 1701, 2\)"):
        wrong.invoke(picture)


def test_anchors_can_be_read_from_the_file(runtime, tmp_path):
    interpreter = open_interpreter(ssd_model(tmp_path / "ssd.tflite"), runtime, threads=1)

    np.testing.assert_allclose(interpreter.constant(3).real(), SSD_ANCHORS, rtol=1e-6)
    with pytest.raises(ModelError, match="tensor with index 999, the file has none"):
        interpreter.constant(999)


def test_a_picture_size_that_the_file_leaves_open_is_set(runtime, tmp_path):
    build = TfliteBuilder()
    picture = build.input("image", (1, 1, 1, 3), "float32", signature=(1, -1, -1, 3))
    build.mark_output(build.op("RELU", [picture], name="same", shape=(1, 1, 1, 3), dtype="float32"))
    path = build.write(tmp_path / "open.tflite")
    layout = ModelLayout(
        family=Family.LTRB,
        input=InputLayout(name="image", width=32, height=16, dtype="float32"),
        outputs={"boxes": OutputLayout(name="same", index=0, shape=(1, 16, 32, 3))},
        classes=1,
    )
    model = Model("open", path, sha256_of(path), layout, ("x",))
    values = random_input(layout, seed=1)

    outputs = open_interpreter(model, runtime, threads=1).invoke(values)

    np.testing.assert_array_equal(outputs[0].values, values.values)


def changed(part: str, **changes) -> Model:
    model = default_model()
    layout = model.layout
    if part == "input":
        return replace(
            model, layout=msgspec.structs.replace(layout, input=msgspec.structs.replace(layout.input, **changes))
        )
    outputs = {**layout.outputs, part: msgspec.structs.replace(layout.outputs[part], **changes)}
    return replace(model, layout=msgspec.structs.replace(layout, outputs=outputs))


@pytest.mark.parametrize(
    ("part", "changes", "words"),
    [
        ("input", {"name": "other"}, "input: expected name 'other', the file has 'image'"),
        ("input", {"width": 320}, r"input: expected shape \(1, 288, 320, 3\), the file has \(1, 288, 288, 3\)"),
        ("input", {"dtype": "uint8"}, "input: expected type 'uint8', the file has 'int8'"),
        ("input", {"scale": 0.01}, "input: expected scale 0.01, the file has 0.0039"),
        ("input", {"zero_point": 0}, "input: expected zero point 0, the file has -128"),
        ("scores", {"name": "boxes"}, r"output 0 \(scores\): expected name 'boxes', the file has 'scores'"),
        ("scores", {"shape": (1, 1701, 80)}, r"expected shape \(1, 1701, 80\), the file has \(1, 1701, 2\)"),
        ("boxes", {"scale": 0.5}, r"expected scale 0.5, the file has 0\.0"),
        ("boxes", {"index": 7}, "expected output 7 for boxes, the file has 2 outputs"),
    ],
)
def test_a_file_that_is_not_what_its_card_says_is_refused(runtime, part, changes, words):
    with pytest.raises(ModelError, match=words):
        open_interpreter(changed(part, **changes), runtime, threads=1)


def test_a_changed_file_is_refused(runtime, tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(default_model().path.read_bytes())
    model = default_model(path)
    path.write_bytes(path.read_bytes() + b"\0")

    with pytest.raises(ModelError, match="expected sha256"):
        open_interpreter(model, runtime, threads=1)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "can't be read"),
        (lambda path: path.mkdir(), "not a file"),
        (lambda path: path.touch(), "0 bytes"),
        (lambda path: make_sparse(path, MAX_MODEL_BYTES + 1), f"found {MAX_MODEL_BYTES + 1} bytes"),
    ],
    ids=["missing", "a folder", "empty", "huge"],
)
def test_what_is_no_model_file_is_refused_before_it_is_read(runtime, tmp_path, make, words):
    path = tmp_path / "model.tflite"
    make(path)

    with pytest.raises(ModelError, match=words):
        open_interpreter(replace(default_model(), path=path), runtime, threads=1)


def make_sparse(path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.truncate(size)


@pytest.mark.parametrize("content", [b"not a model at all, but long enough to be read as one" * 9, b"\x1c\0\0\0TFL3"])
def test_a_broken_file_is_refused_in_one_line(runtime, tmp_path, content):
    path = tmp_path / "model.tflite"
    path.write_bytes(content)

    with pytest.raises(ModelError, match="can't be loaded") as caught:
        open_interpreter(replace(default_model(), path=path, sha256=sha256_of(path)), runtime, threads=1)

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("operator", "words"),
    [("edgetpu-custom-op", "compiled for the Edge TPU"), ("my-own-op", "an operator this runtime does not have")],
)
def test_an_unknown_operator_is_named(runtime, tmp_path, operator, words):
    with pytest.raises(ModelError, match=words):
        open_interpreter(custom_model(tmp_path / "model.tflite", operator), runtime, threads=1)


def custom_model(path: Path, operator: str) -> Model:
    build = TfliteBuilder()
    picture = build.input("image", (1, 8, 8, 3), "uint8", scale=1 / 128, zero_point=128)
    (out,) = build.custom(operator, [picture], outputs=[("boxes", (1, 4), "float32")])
    build.mark_output(out)
    build.write(path)
    layout = ModelLayout(
        family=Family.LTRB,
        input=InputLayout(name="image", width=8, height=8, dtype="uint8", scale=1 / 128, zero_point=128),
        outputs={"boxes": OutputLayout(name="boxes", index=0, shape=(1, 4))},
        classes=1,
    )
    return Model("custom", path, sha256_of(path), layout, ("x",))


def test_an_edgetpu_model_is_not_tried_on_the_cpu(runtime):
    model = default_model()
    on_tpu = replace(model, layout=msgspec.structs.replace(model.layout, backend="edgetpu"), twin="edge-default-cpu")

    with pytest.raises(ModelError, match=r"cannot run on the CPU.*edge-default-cpu"):
        open_interpreter(on_tpu, runtime, threads=1)


def test_threads_must_be_some(runtime):
    with pytest.raises(ModelError, match="at least 1 thread"):
        open_interpreter(default_model(), runtime, threads=0)


def test_a_runtime_that_does_not_fit_numpy_is_explained():
    def broken(**_):
        raise SystemError("<built-in method CreateWrapperFromFile> returned a result with an exception set")

    runtime = Runtime("litert", "2.3.0", broken, lambda *_: None)

    with pytest.raises(MissingLibraryError, match="numpy"):
        open_interpreter(default_model(), runtime, threads=1)


def test_thread_counts_give_the_same_numbers(runtime):
    picture = random_input(default_model().layout, seed=1)

    one, two = (open_interpreter(default_model(), runtime, threads=n).invoke(picture) for n in (1, 2))

    for left, right in zip(one, two, strict=True):
        np.testing.assert_array_equal(left.values, right.values)

"""What cannot be run is refused in words that name what was found and the way out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.catalog.content import read_bytes
from edge.catalog.inspector import Hints, inspect_file
from edge.catalog.store import Library
from edge.catalog.trial import TrialRun
from edge.core.errors import ModelError
from edge.core.model import Family
from tests.catalog import made_models as made
from tests.catalog.made_models import InProcessTrial, inspect
from tests.tflite_builder import TfliteBuilder, plain, quantise, ssd_postprocess


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\x08\x07\x12\x07pytorch\x1a\x051.13", "ONNX"),
        (b"PK\x03\x04" + b"\0" * 60, "zip archive"),
        (b"<!DOCTYPE html><html><body>Not found", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00", "git-lfs pointer"),
        (b'{"message": "Not Found"}', "JSON"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "picture"),
        (b"TFL3", "TFL3"),
        (b"\0" * 4096, "TFL3"),
        (b"\x1c\0\0\0TFL3" + b"\xff" * 400, "damaged"),
        (b"\x1c\0\0\0TFL3" + b"\xff" * 400, "download it again"),
    ],
)
def test_a_file_that_is_no_model_is_named_for_what_it_is(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(content)

    found = inspect_file(path, trial=InProcessTrial())

    assert not found.usable
    assert words in found.reason


def test_every_truncation_of_a_model_is_refused_and_none_crashes(tmp_path: Path) -> None:
    whole = made.ltrb().to_bytes()
    path = tmp_path / "model.tflite"

    for length in range(0, len(whole) - 64, max(1, len(whole) // 60)):
        path.write_bytes(whole[:length])
        assert not inspect_file(path, trial=None).usable or length > len(whole) // 2


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert "nothing" in inspect_file(tmp_path / "no.tflite", trial=None).reason
    assert "a folder" in inspect_file(tmp_path, trial=None).reason


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    with path.open("wb") as file:
        file.truncate(600 * 1024 * 1024)

    assert "more than the" in inspect_file(path, trial=None).reason


class _NoEdgeTpu:
    """A machine without an Edge TPU."""

    def run(self, file: Path, *, library: str = "") -> TrialRun:
        if library:
            raise ModelError(f"{library}: cannot open shared object file")
        raise AssertionError("an Edge TPU file must not be run on the CPU")


class _EdgeTpu:
    def __init__(self, *outputs: np.ndarray) -> None:
        self._outputs = outputs

    def run(self, file: Path, *, library: str = "") -> TrialRun:
        assert library == "libedgetpu.so.1"
        return TrialRun(self._outputs, "litert", "2")


def _edge_tpu_model() -> TfliteBuilder:
    build = TfliteBuilder()
    image = build.input("image", (1, 64, 64, 3), "int8", scale=1 / 255, zero_point=-128)
    outputs = [("boxes", (1, made.CELLS, 64), "float32"), ("scores", (1, made.CELLS, 3), "float32")]
    for index in build.custom("edgetpu-custom-op", [image], outputs=outputs):
        build.mark_output(index)
    return build


def test_an_edge_tpu_file_is_refused_without_one_and_its_family_told(tmp_path: Path) -> None:
    path = _edge_tpu_model().write(tmp_path / "model_edgetpu.tflite")

    found = inspect_file(path, trial=_NoEdgeTpu())

    assert "Edge TPU" in found.reason
    assert "CPU file" in found.reason
    assert found.backend == "edgetpu"
    assert found.family is Family.YOLO_DFL


def test_an_edge_tpu_file_is_usable_where_the_edge_tpu_runs_it(tmp_path: Path) -> None:
    path = _edge_tpu_model().write(tmp_path / "model_edgetpu.tflite")
    trial = _EdgeTpu(made.random().normal(0, 2, (1, made.CELLS, 64)), made.logits(made.CELLS, 3)[None])

    found = inspect_file(path, trial=trial)

    assert found.usable, found.reason
    assert found.layout is not None
    assert found.layout.backend == "edgetpu"


def test_millions_of_classes_are_refused_before_they_are_named(tmp_path: Path) -> None:
    build = TfliteBuilder()
    image = build.input("image", (1, 64, 64, 3), "uint8", scale=1 / 128, zero_point=128)
    scores = build.op("RESHAPE", [image], name="scores", shape=(1, 4, 8_388_612), dtype="float32")
    slots = [(name, (1, 4, 4) if name == "boxes" else (1, 4), "float32") for name in ("boxes", "a", "b", "c")]
    for index in build.custom("TFLite_Detection_PostProcess", [image, scores, image], outputs=slots):
        build.mark_output(index)

    found = inspect_file(build.write(tmp_path / "model.tflite"), trial=None)

    assert "at most 100000 classes, found 8388611" in found.reason
    assert found.labels == ()


def test_a_file_s_own_words_can_not_command_a_terminal(tmp_path: Path) -> None:
    build = plain({"scores": np.zeros((1, 4), np.float32)})
    build.custom("Flex\x1b[2J\nok", [0], outputs=[("x", (1,), "float32")])

    assert inspect(build, tmp_path).reason.isprintable()


@pytest.mark.parametrize(
    ("operators", "words"),
    [(["fake-op"], "fake-op"), (["FlexErf"], "SELECT_TF_OPS"), (["one", "two"], "one, two")],
)
def test_unknown_custom_operators_are_named(operators: list[str], words: str, tmp_path: Path) -> None:
    build = TfliteBuilder()
    at = build.input("image", (1, 64, 64, 3), "float32")
    for name in operators:
        (at,) = build.custom(name, [at], outputs=[(name, (1, 8400, 84), "float32")])
    build.mark_output(at)

    assert words in inspect(build, tmp_path).reason


@pytest.mark.parametrize("shape", [(1, 1001), (1, 1, 1, 1001), (1, 2)])
def test_a_classifier_is_refused_as_one(shape: tuple[int, ...], tmp_path: Path) -> None:
    found = inspect(plain({"scores": made.random().uniform(0, 1, shape).astype(np.float32)}), tmp_path)

    assert "classifier" in found.reason


@pytest.mark.parametrize(
    ("task", "words"), [("segment", "segmentation"), ("pose", "pose"), ("obb", "rotated"), ("classify", "classifier")]
)
def test_other_ultralytics_tasks_are_refused_by_their_metadata(task: str, words: str, tmp_path: Path) -> None:
    build = made.yolov8()
    build.attach("temp_meta.txt", repr({"task": task, "names": {0: "a"}, "stride": 32}))

    assert words in inspect(build, tmp_path).reason


def test_a_segmentation_model_without_metadata_is_refused(tmp_path: Path) -> None:
    table = np.concatenate([made.decoded_boxes(), made.probabilities(made.CELLS, 80 + 32)], axis=1)
    masks = made.random().normal(0, 1, (1, 16, 16, 32)).astype(np.float32)

    assert "segmentation" in inspect(plain({"out": table.T[None], "masks": masks}), tmp_path).reason


def test_a_map_of_classes_is_refused_as_segmentation(tmp_path: Path) -> None:
    found = inspect(plain({"out": made.random().integers(0, 19, (1, 64, 64))}), tmp_path)

    assert "segmentation" in found.reason


class _Numbers:
    """A runtime that gives these numbers."""

    def __init__(self, outputs: list[np.ndarray]) -> None:
        self._outputs = outputs

    def run(self, file: Path, *, library: str = "") -> TrialRun:
        return TrialRun(tuple(self._outputs))


_SIDES = st.sampled_from([1, 2, 3, 4, 5, 6, 16, 20, 64, 84, 85, 96, 100, 252, 300])
_OUTPUTS = st.lists(
    st.tuples(
        st.lists(_SIDES, max_size=3).map(lambda sides: (1, *sides)),
        st.sampled_from(["float32", "int8", "uint8", "int32"]),
        st.sampled_from([0.0, 0.004, 0.5]),
        st.sampled_from(["zeros", "small", "large", "nan"]),
    ),
    max_size=4,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(outputs=_OUTPUTS, family=st.sampled_from([None, *Family]), labels=st.integers(0, 3))
def test_whatever_a_model_gives_the_inspection_ends_in_words(
    outputs: list[tuple[tuple[int, ...], str, float, str]], family: Family | None, labels: int, tmp_path: Path
) -> None:
    build = TfliteBuilder()
    build.input("image", (1, 64, 64, 3), "float32")
    values = []
    for number, (shape, dtype, scale, kind) in enumerate(outputs):
        real = made.random().normal(0, {"large": 1e6, "small": 1.0}.get(kind, 0.0), shape)
        if kind == "nan" and dtype == "float32":
            real[...] = np.nan
        values.append(real.clip(-128, 127).astype(dtype) if dtype != "float32" else real.astype(dtype))
        build.mark_output(build.op("ABS", [0], name=f"out{number}", shape=shape, dtype=dtype, scale=scale))
    path = build.write(tmp_path / "model.tflite")

    found = inspect_file(path, trial=_Numbers(values), hints=Hints(family, ("a", "b", "c")[:labels], "a test"))

    assert found.usable == (found.layout is not None)
    assert found.usable or len(found.reason) > 20


def test_a_pose_model_without_metadata_is_refused_by_its_numbers(tmp_path: Path) -> None:
    points = made.random().uniform(0, 64, (made.CELLS, 51)).astype(np.float32)
    table = np.concatenate([made.decoded_boxes(pixels=True), made.probabilities(made.CELLS, 1), points], axis=1)

    assert "not class scores" in inspect(plain({"out": table.T[None]}), tmp_path).reason


def test_a_rotated_box_model_without_metadata_is_refused_by_its_angles(tmp_path: Path) -> None:
    angles = made.random().uniform(-0.8, 2.3, (made.CELLS, 1)).astype(np.float32)
    table = np.concatenate([made.decoded_boxes(), made.probabilities(made.CELLS, 15), angles], axis=1)

    assert "not class scores" in inspect(plain({"out": table.T[None]}), tmp_path).reason


def _with_input(shape: tuple[int, ...], dtype: str = "float32") -> TfliteBuilder:
    build = TfliteBuilder()
    build.input("image", shape, dtype)
    build.output("out", made.probabilities(made.CELLS, 84)[None])
    return build


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((1, 64, 64, 1), "grey"),
        ((4, 64, 64, 3), "batch size 1"),
        ((1, 64, 64, 4), "colour"),
        ((1, 64), "picture"),
        ((1, 4, 4, 3), "too small"),
    ],
)
def test_an_input_that_takes_no_colour_picture_is_refused(shape: tuple[int, ...], words: str, tmp_path: Path) -> None:
    assert words in inspect(_with_input(shape), tmp_path).reason


def test_an_input_of_whole_numbers_is_refused(tmp_path: Path) -> None:
    assert "int32" in inspect(_with_input((1, 64, 64, 3), "int32"), tmp_path).reason


def test_several_inputs_are_refused_by_name(tmp_path: Path) -> None:
    build = _with_input((1, 64, 64, 3))
    build.input("mask", (1, 64, 64, 3), "float32")

    found = inspect(build, tmp_path)

    assert "2 inputs" in found.reason
    assert "mask" in found.reason


@pytest.mark.parametrize("count", [1, 79, 82])
def test_a_label_count_that_does_not_fit_is_refused(count: int, tmp_path: Path) -> None:
    hints = Hints(labels=tuple(f"thing {i}" for i in range(count)), labels_from="labels.txt")

    found = inspect(made.yolov8(), tmp_path, hints)

    assert "80 classes" in found.reason
    assert f"labels.txt has {count} labels" in found.reason


@pytest.mark.parametrize("first", ["???", "background", "__background__"])
def test_a_background_line_in_front_of_the_labels_is_taken_off(first: str, tmp_path: Path) -> None:
    build = ssd_postprocess(**made.postprocess_parts(classes=3))
    build.attach("labelmap.txt", f"{first}\nperson\ncat\ndog\n")

    found = inspect(build, tmp_path)

    assert found.labels == ("person", "cat", "dog")


def _quantised_yolov8(*, pixels: bool, dtype: str) -> TfliteBuilder:
    table = np.concatenate([made.decoded_boxes(pixels=pixels), made.probabilities(made.CELLS, 5)], axis=1)
    scale = float(table.max()) / 255
    lowest = int(np.iinfo(dtype).min)
    build = plain({})
    build.output("out", quantise(table.T[None], scale, lowest, dtype), scale=scale, zero_point=lowest)
    return build


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_one_scale_that_kills_the_scores_is_refused(dtype: str, tmp_path: Path) -> None:
    found = inspect(_quantised_yolov8(pixels=True, dtype=dtype), tmp_path)

    assert "one scale" in found.reason
    assert "normalised boxes" in found.reason


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_one_scale_for_normalised_boxes_is_fine(dtype: str, tmp_path: Path) -> None:
    assert inspect(_quantised_yolov8(pixels=False, dtype=dtype), tmp_path).reason == ""


def test_a_quantised_end_to_end_output_is_refused(tmp_path: Path) -> None:
    build = plain({})
    build.output("out", np.ones((1, 300, 6), np.int8), scale=0.3, zero_point=-128)

    assert "end-to-end" in inspect(build, tmp_path).reason


@pytest.mark.parametrize(("value", "words"), [(0.0, "one constant"), (float("nan"), "no number")])
def test_dead_outputs_are_refused(value: float, words: str, tmp_path: Path) -> None:
    assert words in inspect(plain({"out": np.full((1, 84, 84), value, np.float32)}), tmp_path).reason


def test_outputs_of_no_known_family_are_listed(tmp_path: Path) -> None:
    found = inspect(plain({"heat": np.ones((1, 16, 16, 9), np.float32), "size": np.ones((1, 7), np.float32)}), tmp_path)

    assert "heat [1, 16, 16, 9]" in found.reason


def test_a_family_that_the_shape_contradicts_is_refused(tmp_path: Path) -> None:
    found = inspect(made.yolov8(), tmp_path, Hints(family=Family.BLAZEFACE))

    assert "cannot be read as blazeface" in found.reason


def test_a_disk_that_fails_is_not_the_models_fault() -> None:
    """Reading /proc/self/mem at its beginning is an input/output error, as from a worn card: another start may work."""
    with pytest.raises(ModelError, match="Input/output error") as caught:
        read_bytes(Path("/proc/self/mem"))
    with pytest.raises(ModelError, match=r"/proc/self/mem: .*Input/output error") as named:
        Library(()).find("/proc/self/mem")

    assert (caught.value.exit_code, named.value.exit_code) == (75, 75)


def test_a_file_that_is_not_there_is_for_a_person_to_mend(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        read_bytes(tmp_path / "absent.tflite")

    assert caught.value.exit_code == 78

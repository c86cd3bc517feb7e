"""Which version of a model runs on which accelerator."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.assemble.model import choose_version, version_for_cpu
from edge.core.errors import ModelError
from edge.core.model import Family, InputLayout, Model, ModelLayout


def make(name: str, backend: str, twin: str | None = None) -> Model:
    layout = ModelLayout(
        family=Family.YOLOV8,
        backend=backend,  # type: ignore[arg-type]
        input=InputLayout(name="in", width=32, height=32, dtype="int8", scale=1 / 255, zero_point=-128),
        outputs={},
        classes=1,
    )
    return Model(name, Path(f"{name}.tflite"), "0" * 64, layout, ("cat",), twin=twin)


CPU = make("small", "cpu", twin="small-edgetpu")
TPU = make("small-edgetpu", "edgetpu", twin="small")


def choose(model: Model, accelerator: str, *, ready: bool = False, pulled: bool = True) -> str:
    def find(name: str) -> Model:
        if not pulled:
            raise ModelError(f"{name}: not pulled")
        return {"small": CPU, "small-edgetpu": TPU}[name]

    return choose_version(model, accelerator, find=find, is_edgetpu_ready=lambda: ready).name


@pytest.mark.parametrize("model", [CPU, TPU])
@pytest.mark.parametrize(
    ("accelerator", "ready", "expected"),
    [
        ("cpu", True, "small"),
        ("edgetpu", False, "small-edgetpu"),
        ("edgetpu:usb", False, "small-edgetpu"),
        ("auto", True, "small-edgetpu"),
        ("auto", False, "small"),
    ],
)
def test_either_name_leads_to_the_version_for_the_accelerator(
    model: Model, accelerator: str, ready: bool, expected: str
) -> None:
    assert choose(model, accelerator, ready=ready) == expected


def test_the_cpu_s_version_is_taken_where_it_is_at_hand() -> None:
    def nothing(name: str) -> Model:
        raise ModelError(f"{name}: not pulled")

    assert version_for_cpu(CPU, nothing) is CPU
    assert version_for_cpu(TPU, lambda _: CPU) is CPU
    assert version_for_cpu(TPU, nothing) is TPU
    assert version_for_cpu(make("alone", "edgetpu"), nothing).name == "alone"


def test_auto_stays_on_the_cpu_when_the_other_version_is_not_there(caplog: pytest.LogCaptureFixture) -> None:
    assert choose(CPU, "auto", ready=True, pulled=False) == "small"
    assert "not pulled" in caplog.text


def test_a_model_for_the_edge_tpu_alone_says_so_when_the_cpu_is_asked_for() -> None:
    with pytest.raises(ModelError, match="the Edge TPU alone"):
        choose(make("lone", "edgetpu"), "cpu")


def test_a_model_for_the_cpu_alone_says_so_when_the_edge_tpu_is_asked_for() -> None:
    with pytest.raises(ModelError, match="the CPU alone"):
        choose(make("lone", "cpu"), "edgetpu")


def test_auto_takes_a_model_without_twin_as_it_is() -> None:
    assert choose(make("lone", "cpu"), "auto", ready=True) == "lone"

"""What goes wrong in the child is a reason here, never a crash or a wait without end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge.catalog.trial import ChildTrial
from edge.core.errors import MissingLibraryError, ModelError
from edge.infer.probe import textured_picture
from tests.catalog import made_models as made

_BAD = "tests.catalog.bad_probe"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("crash", "crashed.*SIGSEGV"),
        ("hang", "did not finish within"),
        ("error", "the last line"),
        ("told", "Node 3 failed"),
        ("silent", "no readable result"),
    ],
)
def test_a_child_that_fails_gives_the_reason(name: str, words: str, tmp_path: Path) -> None:
    trial = ChildTrial(timeout_s=1.0 if name == "hang" else 30.0, module=_BAD)

    with pytest.raises(ModelError, match=words):
        trial.run(tmp_path / name)


def test_a_missing_runtime_is_not_blamed_on_the_file(tmp_path: Path) -> None:
    with pytest.raises(MissingLibraryError, match="no runtime"):
        ChildTrial(module=_BAD).run(tmp_path / "missing")


def test_the_real_child_returns_what_the_model_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the child must find the package from anywhere
    path = made.ltrb().write(tmp_path / "a model.tflite")

    run = ChildTrial().run(path)

    assert [output.shape for output in run.outputs] == [(1, made.CELLS, 4), (1, made.CELLS, 3)]
    assert run.runtime == "litert"


def test_the_real_child_refuses_what_the_runtime_refuses(tmp_path: Path) -> None:
    build = made.ltrb()
    (extra,) = build.custom("no-such-op", [0], outputs=[("extra", (1,), "float32")])
    build.mark_output(extra)

    with pytest.raises(ModelError, match="no-such-op"):
        ChildTrial().run(build.write(tmp_path / "model.tflite"))


def test_a_missing_accelerator_library_is_a_reason(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="libnothere"):
        ChildTrial().run(made.ltrb().write(tmp_path / "model.tflite"), library="libnothere.so.1")


def test_the_test_picture_is_the_same_each_time_and_has_texture() -> None:
    picture = textured_picture(64, 96)

    assert picture.shape == (64, 96, 3)
    assert np.array_equal(picture, textured_picture(64, 96))
    assert picture.std() > 20

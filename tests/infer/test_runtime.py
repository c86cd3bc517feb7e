"""Which runtime is taken, and what is said when there is none."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from edge.core.errors import MissingLibraryError
from edge.infer.runtime import Runtime, explain_system_error, load_runtime


def test_litert_is_taken_first():
    runtime = load_runtime()

    assert runtime.name == "litert"
    assert runtime.version[0].isdigit()


@pytest.mark.parametrize("preference", ["auto", "litert", "tflite"])
def test_without_a_runtime_the_error_says_what_to_install(monkeypatch, preference):
    hide(monkeypatch, "ai_edge_litert.interpreter")
    hide(monkeypatch, "tflite_runtime.interpreter")

    with pytest.raises(MissingLibraryError, match="pip install") as caught:
        load_runtime(preference)

    assert ("litert:" in str(caught.value)) == (preference != "tflite")
    assert ("tflite:" in str(caught.value)) == (preference != "litert")


def test_the_older_runtime_steps_in(monkeypatch):
    hide(monkeypatch, "ai_edge_litert.interpreter")
    older = ModuleType("tflite_runtime.interpreter")
    older.Interpreter, older.load_delegate = object, print
    older.OpResolverType = SimpleNamespace(BUILTIN_REF=2)
    monkeypatch.setitem(sys.modules, "tflite_runtime", ModuleType("tflite_runtime"))
    monkeypatch.setitem(sys.modules, "tflite_runtime.interpreter", older)

    runtime = load_runtime()

    assert (runtime.name, runtime.interpreter_class, runtime.load_delegate) == ("tflite", object, print)


def test_a_wheel_that_breaks_on_import_is_told(monkeypatch):
    hide(monkeypatch, "ai_edge_litert.interpreter")
    monkeypatch.setitem(sys.modules, "tflite_runtime", ModuleType("tflite_runtime"))
    monkeypatch.setitem(sys.modules, "tflite_runtime.interpreter", ModuleType("tflite_runtime.interpreter"))

    with pytest.raises(MissingLibraryError, match="tflite: broken installation"):
        load_runtime()


def test_the_older_runtime_with_numpy_2_is_explained(monkeypatch):
    monkeypatch.setattr(np, "__version__", "2.4.6")

    text = explain_system_error(Runtime("tflite", "2.14.0", object, print))

    assert "needs numpy 1.x, found numpy 2.4.6" in text
    assert "pip install" in text


def hide(monkeypatch, name):
    # None in sys.modules is Python's own way to say: not importable.
    monkeypatch.setitem(sys.modules, name, None)

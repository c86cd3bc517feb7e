"""What computes a replay's model: the same numbers on every kind of processor, or what the service uses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from edge.catalog.arithmetic import arithmetic_of
from edge.core.errors import ModelError
from edge.core.model import Model
from edge.infer.detector import Detector
from edge.infer.interpreter import LiteInterpreter, read_model_file
from edge.infer.runtime import Runtime, load_runtime

# Opens a model's detector through a runtime.
Open = Callable[[Runtime], Detector]


class Kernels(StrEnum):
    """The parts of the runtime that do a model's arithmetic: exact on every processor, or as fast as this one can."""

    EXACT = "exact"
    FAST = "fast"


@dataclass(frozen=True, slots=True)
class Computing:
    """How a detector computes.

    is_reference : by the runtime's reference kernels, slowly
    doubt : why another kind of processor may get other last digits; empty = it does not
    """

    detector: Detector
    is_reference: bool
    doubt: str

    def is_like(self, other: Computing) -> bool:
        """Whether both compute in the same way."""
        return (self.is_reference, self.doubt) == (other.is_reference, other.doubt)


def open_computing(model: Model, asked: Kernels | None, open_detector: Open) -> Computing:
    """The model behind exact kernels where it has any, unless the fast ones are asked for.

    The fast kernels are taken where they are exact for this model: the one that is shipped, and all that the tools
    train. Else the reference kernels are, which do whole numbers alike everywhere.

    Raises
    ------
    ModelError
        When the model can't be loaded, or exact kernels are asked for and there are none for it.
    MissingLibraryError
        When the runtime or the accelerator's library does not work here.
    """
    runtime = load_runtime()
    if asked is Kernels.FAST:
        return Computing(open_detector(runtime), False, "the fast kernels were asked for")
    found = _exact(model, runtime, open_detector)
    if found.doubt and asked is Kernels.EXACT:
        raise ModelError(
            f"--kernels exact: expected a model that whole numbers carry from input to output, found {model.name}: "
            f"{found.doubt}; take --kernels fast, or a fully quantised model for the CPU"
        )
    return found


def _exact(model: Model, runtime: Runtime, open_detector: Open) -> Computing:
    if model.layout.backend != "cpu":
        return Computing(open_detector(runtime), False, "it runs on an accelerator")
    arithmetic = arithmetic_of(read_model_file(model.path, sha256=model.sha256))
    if arithmetic.floating:
        doubt = f"it computes with floating-point numbers ({', '.join(arithmetic.floating)})"
        return Computing(open_detector(runtime), False, doubt)
    if not arithmetic.uneven:
        fast = open_detector(runtime)
        if _is_delegated(fast):
            return Computing(fast, False, "")
    try:
        return Computing(open_detector(runtime.with_reference_kernels()), True, "")
    except ModelError as error:
        return Computing(open_detector(runtime), False, f"the runtime's reference kernels don't take it ({error})")


def _is_delegated(detector: Detector) -> bool:
    """Whether the fast kernels are those that were measured: without them the runtime has others, which differ."""
    interpreter = detector.interpreter
    return isinstance(interpreter, LiteInterpreter) and interpreter.is_delegated

"""A .tflite file, loaded and checked against its layout, behind the Interpreter door."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.core.errors import EdgeError, MissingLibraryError, ModelAwayError, ModelError
from edge.core.looking import is_passing
from edge.core.model import InputLayout, Model
from edge.core.protocols import Answer
from edge.core.values import Tensor
from edge.infer.agreement import check_against_layout, input_shape
from edge.infer.quiet import quiet_runtime
from edge.infer.runtime import Runtime, explain_system_error

# Detectors for small machines are 0.2 to 60 MB; more is a wrong file, and must not fill the memory.
MAX_MODEL_BYTES = 512 * 1024 * 1024
# The runtime appends to its text at every failed call.
_MAX_NATIVE_TEXT = 300
_NATIVE_ERRORS = (ValueError, RuntimeError, SystemError, OSError, AttributeError, TypeError, IndexError)


class LiteInterpreter:
    """Runs one model file; knows nothing of what its numbers mean. For one thread.

    Use `open_interpreter`.
    """

    def __init__(self, model: Model, native: Any) -> None:
        self._model = model
        self._native = native
        self._input = native.get_input_details()[0]
        self._outputs = native.get_output_details()
        self._facts = [_facts_of(output) for output in self._outputs]
        # The callables give a view each time; a view that lives makes the runtime refuse to run.
        self._input_view = native.tensor(self._input["index"])
        self._output_views = [native.tensor(output["index"]) for output in self._outputs]
        self._failure = ""
        self._shapes_seen = False
        self._keeps_input: bool | None = None
        self._copy: NDArray[Any] | None = None

    def invoke(self, values: Tensor) -> tuple[Tensor, ...]:
        """Run the model once.

        Parameters
        ----------
        values : exactly the input's shape and dtype

        Returns
        -------
        The outputs in the file's order, copied, each with its own scale and zero point.

        Raises
        ------
        ModelError
            When the values do not fit, or the run fails. After a failed run it answers nothing else: the runtime
            keeps broken state (a lost accelerator does not come back into the same interpreter).
        """
        self._check_values(values)
        results = self._guarded(lambda: self._run_beside(values.values))
        if not self._shapes_seen:
            self._check_shapes(results)
        return self._as_tensors(results)

    def invoke_in_place(
        self, fill: Callable[[NDArray[Any]], None], read: Callable[[tuple[Tensor, ...]], Answer]
    ) -> Answer:
        """Run the model once, without a copy: ``fill`` writes the input, ``read`` looks at the outputs.

        See `edge.core.protocols.InPlaceInterpreter`. Raises as ``invoke`` does, and what the two raise.
        """
        if self._keeps_input is None:
            self._learn_whether_input_stays(fill)
        elif self._keeps_input:
            fill(self._input_view())
            self._guarded(self._native.invoke)
        else:
            self._run_from_copy(fill)
        results = [view() for view in self._output_views]
        if not self._shapes_seen:
            self._check_shapes(results)
        return read(self._as_tensors(results))

    def invoke_bare(self) -> None:
        """Run on what the input holds and look at nothing: what the runtime alone takes, for measuring."""
        self._guarded(self._native.invoke)

    @property
    def is_delegated(self) -> bool:
        """Whether the runtime has its fast library, or an accelerator, do part of the work."""
        try:
            return any(each["op_name"] == "DELEGATE" for each in self._native._get_ops_details())
        except AttributeError:  # no promise of the runtime's, though all known ones have it
            return False

    def _learn_whether_input_stays(self, fill: Callable[[NDArray[Any]], None]) -> None:
        # That a run leaves its input alone was measured for the runtimes we know; it is promised nowhere.
        fill(self._input_view())
        before = self._input_view().copy()
        self._guarded(self._native.invoke)
        self._keeps_input = np.array_equal(before.view(np.uint8), self._input_view().view(np.uint8))
        if not self._keeps_input:
            self._copy = before

    def _run_from_copy(self, fill: Callable[[NDArray[Any]], None]) -> None:
        copy = self._copy
        assert copy is not None
        fill(copy)
        self._guarded(lambda: self._run_copied(copy))

    def _run_beside(self, values: NDArray[Any]) -> list[Any]:
        """Run on a copy, and put back what ``invoke_in_place`` counts on."""
        if not self._keeps_input:
            return self._run_copied(values)
        before = self._input_view().copy()
        results = self._run_copied(values)
        self._native.set_tensor(self._input["index"], before)
        return results

    def _run_copied(self, values: NDArray[Any]) -> list[Any]:
        self._native.set_tensor(self._input["index"], values)
        self._native.invoke()
        return [self._native.get_tensor(output["index"]) for output in self._outputs]

    def _guarded(self, run: Callable[[], Answer]) -> Answer:
        if self._failure:
            raise ModelError(self._failure)
        try:
            return run()
        except _NATIVE_ERRORS as error:
            self._failure = (
                f"{self._model.path}: the run failed ({native_text(error)}); "
                "load the model again, or run its CPU version if an accelerator was lost"
            )
            raise ModelError(self._failure) from error

    def _as_tensors(self, results: list[Any]) -> tuple[Tensor, ...]:
        return tuple([Tensor(result, *facts) for result, facts in zip(results, self._facts, strict=True)])

    def constant(self, index: int) -> Tensor:
        """A constant tensor of the file, by its index, copied: such as the anchors of a raw SSD."""
        try:
            details = next(one for one in self._native.get_tensor_details() if one["index"] == index)
            return Tensor(np.asarray(self._native.get_tensor(index)), *_facts_of(details))
        except StopIteration:
            raise ModelError(f"{self._model.path}: expected a tensor with index {index}, the file has none") from None
        except _NATIVE_ERRORS as error:
            raise ModelError(
                f"{self._model.path}: tensor {index} is not a constant that can be read ({native_text(error)}); "
                "inspect the model again"
            ) from error

    def _check_shapes(self, results: list[Any]) -> None:
        # In-graph post-processing gives its outputs a shape only when it first runs.
        for role, expected in self._model.layout.outputs.items():
            found = tuple(results[expected.index].shape)
            if expected.shape and expected.shape != found:
                raise ModelError(
                    f"{self._model.path}: output {expected.index} ({role}): expected shape {expected.shape}, "
                    f"the file has {found}; inspect the model again (edge models inspect)"
                )
        self._shapes_seen = True

    def _check_values(self, values: Tensor) -> None:
        expected = tuple(int(n) for n in self._input["shape"])
        found = values.values
        if found.shape != expected or found.dtype != self._input["dtype"]:
            raise ModelError(
                f"{self._model.path}: the input must be {np.dtype(self._input['dtype']).name} {expected}, "
                f"found {found.dtype.name} {found.shape}"
            )


def open_interpreter(
    model: Model, runtime: Runtime, *, threads: int, delegate: Any = None, content: bytes | None = None
) -> LiteInterpreter:
    """Load a model, ready to run.

    The file is read once, and what was checked against ``model.sha256`` is what runs.

    Parameters
    ----------
    threads : CPU threads of one run, >= 1
    delegate : from `edge.infer.delegate.open_edgetpu` with the same runtime; None = CPU
    content : what to run instead of the file, made from it and described by the layout; None = the file

    Raises
    ------
    ModelError
        When the file is missing, changed, broken, or not what its layout says.
    MissingLibraryError
        When the runtime or the accelerator's library does not work here.
    """
    if threads < 1:
        raise ModelError(f"{model.name}: expected at least 1 thread, found {threads}")
    if model.layout.backend == "edgetpu" and delegate is None:
        raise ModelError(_needs_edgetpu(model))
    content = read_model_file(model.path, sha256=model.sha256) if content is None else content
    with quiet_runtime():
        native = _load(model, content, runtime=runtime, threads=threads, delegate=delegate)
    check_against_layout(model, native)
    return LiteInterpreter(model, native)


def read_model_file(path: Path, *, sha256: str) -> bytes:
    """The whole file, which must have this sha256 (hex)."""
    try:
        size = path.stat().st_size
        if not path.is_file() or not 0 < size <= MAX_MODEL_BYTES:
            raise ModelError(
                f"{path}: expected a .tflite file of 1 to {MAX_MODEL_BYTES} bytes, "
                f"found {f'{size} bytes' if path.is_file() else 'something that is not a file'}"
            )
        content = path.read_bytes()
    except OSError as error:
        if is_passing(error):
            raise ModelAwayError(
                f"{path}: the model can't be read just now ({error.strerror}); check the disk"
            ) from error
        raise ModelError(f"{path}: the model can't be read ({error.strerror or error}); is the path right?") from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256.lower():
        raise ModelError(
            f"{path}: the file is not the one its card describes: expected sha256 {sha256}, found {found}; "
            "fetch it again (edge models pull), or inspect the new file (edge models inspect)"
        )
    return content


def native_text(error: BaseException) -> str:
    """The runtime's own words in one line of bounded length."""
    text = " ".join(str(error).split())
    return text if len(text) <= _MAX_NATIVE_TEXT else text[: _MAX_NATIVE_TEXT - 3] + "..."


def _load(model: Model, content: bytes, *, runtime: Runtime, threads: int, delegate: Any) -> Any:
    options: dict[str, Any] = {} if delegate is None else {"experimental_delegates": [delegate]}
    try:
        native = runtime.interpreter_class(model_content=content, num_threads=threads, **options)
        _give_input_its_size(native, model.layout.input)
        native.allocate_tensors()
    except _NATIVE_ERRORS as error:
        raise _explain_load(model, error, runtime=runtime, delegated=delegate is not None) from error
    return native


def _give_input_its_size(native: Any, layout: InputLayout) -> None:
    # A file exported without a fixed size says -1 in its signature and 1 in its shape.
    details = native.get_input_details()[0]
    wanted, signature = input_shape(layout), tuple(int(n) for n in details.get("shape_signature", ()))
    if tuple(details["shape"]) == wanted or len(signature) != len(wanted):
        return
    if all(free in (-1, size) for free, size in zip(signature, wanted, strict=True)):
        native.resize_tensor_input(details["index"], wanted)


def _explain_load(model: Model, error: BaseException, *, runtime: Runtime, delegated: bool) -> EdgeError:
    text = native_text(error)
    if isinstance(error, SystemError):
        return MissingLibraryError(explain_system_error(runtime))
    if "edgetpu-custom-op" in text and not delegated:
        return ModelError(_needs_edgetpu(model))
    if delegated and ("prepare" in text or "edgetpu" in text.lower() or "delegate" in text.lower()):
        return MissingLibraryError(
            f"{model.path}: the accelerator's library refuses the model ({text}); expected an Edge TPU library built "
            f"for the runtime {runtime.name} {runtime.version} and a model compiled for that library: "
            "install matching versions, or run the CPU version of the model"
        )
    if "unresolved custom op" in text:
        return ModelError(f"{model.path}: the model needs an operator this runtime does not have ({text})")
    return ModelError(f"{model.path}: the model can't be loaded ({text}); expected a valid .tflite file")


def _needs_edgetpu(model: Model) -> str:
    twin = f" ({model.twin})" if model.twin else ""
    return (
        f"{model.path}: the model is compiled for the Edge TPU and cannot run on the CPU; "
        f"use the Edge TPU backend, or the CPU version of the model{twin}"
    )


def _facts_of(details: dict[str, Any]) -> tuple[float, int, str]:
    scale, zero_point = details["quantization"]
    return float(scale), int(zero_point), str(details["name"])

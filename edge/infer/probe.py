"""Runs a model once in a process of its own: ``python -m edge.infer.probe FILE --out X.npz``.

A file that crashes the runtime, never returns or eats the memory takes this process with it and nothing else.
Writes the outputs to the .npz (``output_0``...), the output names and the runtime to ``facts`` (JSON). A failure
that can be told is one line of JSON on standard output, ``{"error": ..., "kind": ...}``, and exit code 78.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.core.errors import EdgeError, ModelError
from edge.infer.runtime import Runtime, load_runtime

# Address space, not resident memory: the runtime and numpy map about 1 GiB before a model is there.
_MEMORY_BYTES = 6 * 1024**3
_ERROR_CHARACTERS = 300  # the runtime repeats itself without bound
_SEED = 20_26


def main(arguments: list[str] | None = None) -> int:
    """Run the probe; returns the exit code."""
    options = _parse(arguments)
    _limit_memory()
    try:
        outputs, facts = run_once(options.file, library=options.delegate, threads=options.threads)
    except EdgeError as error:
        sys.stdout.write(json.dumps({"error": str(error)[:_ERROR_CHARACTERS], "kind": type(error).__name__}) + "\n")
        return error.exit_code
    arrays = {f"output_{position}": values for position, values in enumerate(outputs)}
    np.savez(options.out, facts=np.array(json.dumps(facts)), **arrays)
    return 0


def run_once(file: Path, *, library: str, threads: int) -> tuple[list[NDArray[Any]], dict[str, Any]]:
    """The outputs for the test picture, in the file's order, and facts about the run.

    Raises
    ------
    ModelError
        In the runtime's own words, if it refuses the file.
    """
    runtime = load_runtime()
    try:
        interpreter = _interpreter(runtime, file, library, threads)
        interpreter.allocate_tensors()
        for detail in interpreter.get_input_details():
            interpreter.set_tensor(detail["index"], _input_values(detail))
        interpreter.invoke()
        details = interpreter.get_output_details()
        outputs = [np.array(interpreter.get_tensor(detail["index"])) for detail in details]
    except (ValueError, RuntimeError, OSError, SystemError, AttributeError, TypeError, MemoryError) as error:
        raise ModelError(_one_line(str(error)) or f"{type(error).__name__} without a word") from error
    return outputs, {"runtime": runtime.name, "version": runtime.version, "names": [d["name"] for d in details]}


def textured_picture(height: int, width: int) -> NDArray[np.uint8]:
    """A picture with areas, edges and grain, the same on every machine: (height, width, 3) uint8."""
    grain = np.random.default_rng(_SEED)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    slope = 60 + 90 * rows / max(1, height) + 40 * columns / max(1, width)
    picture = np.repeat(slope[:, :, None], 3, axis=2)
    for _ in range(12):
        cy, cx = grain.uniform(0, height), grain.uniform(0, width)
        ry, rx = grain.uniform(0.04, 0.3) * height, grain.uniform(0.04, 0.3) * width
        inside = ((rows - cy) / ry) ** 2 + ((columns - cx) / rx) ** 2 < 1
        picture[inside] = grain.uniform(0, 255, 3)
    picture += grain.normal(0, 8, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="edge.infer.probe")
    parser.add_argument("file", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--delegate", default="", help="library of an accelerator, for example libedgetpu.so.1")
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args(arguments)


def _limit_memory() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    allowed = _MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(_MEMORY_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_AS, (allowed, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _interpreter(runtime: Runtime, file: Path, library: str, threads: int) -> Any:
    delegates = [runtime.load_delegate(library)] if library else None
    return runtime.interpreter_class(model_path=str(file), num_threads=threads, experimental_delegates=delegates)


def _input_values(detail: dict[str, Any]) -> NDArray[Any]:
    """The test picture as this input's numbers: 0..1 for a real one, the whole byte range for a quantised one."""
    shape, dtype = tuple(int(side) for side in detail["shape"]), np.dtype(detail["dtype"])
    picture = _picture_for(shape)
    if dtype.kind == "f":
        return (picture / np.float32(255)).astype(dtype)
    lowest = np.iinfo(dtype).min if dtype.itemsize == 1 else 0
    return (picture.astype(np.int64) + lowest).astype(dtype)


def _picture_for(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    if len(shape) == 4 and shape[3] == 3:
        return np.broadcast_to(textured_picture(shape[1], shape[2]), shape).copy()
    if len(shape) == 4 and shape[1] == 3:
        return np.broadcast_to(textured_picture(shape[2], shape[3]).transpose(2, 0, 1), shape).copy()
    return np.resize(textured_picture(32, 32), shape)


def _one_line(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    sys.exit(main())

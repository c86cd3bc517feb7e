"""Tries a model in a child process: what crashes, hangs or eats memory there is a refusal here, with the reason."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

import edge
from edge.core.errors import MissingLibraryError, ModelError

EDGE_TPU_LIBRARY = "libedgetpu.so.1"
# A 640-pixel model on a Raspberry Pi 4 needs about 3 s, Python and the runtime 5 s on a slow card.
_TIMEOUT_S = 60.0
_MAX_RESULT_BYTES = 1024**3


@dataclass(frozen=True, slots=True, eq=False)
class TrialRun:
    """What came out for the textured test picture; ``outputs`` in the file's order, raw numbers."""

    outputs: tuple[NDArray[Any], ...]
    runtime: str = ""
    version: str = ""


class Trial(Protocol):
    """A way to run a model file once."""

    def run(self, file: Path, *, library: str = "") -> TrialRun:
        """Run it, with an accelerator's library if one is named. Raises ModelError with the reason in words."""


class ChildTrial:
    """Runs ``edge.infer.probe`` with this Python. The probe is named, not imported: catalog does not know infer."""

    def __init__(self, *, timeout_s: float = _TIMEOUT_S, module: str = "edge.infer.probe") -> None:
        self._timeout_s = timeout_s
        self._module = module

    def run(self, file: Path, *, library: str = "") -> TrialRun:
        with tempfile.TemporaryDirectory(prefix="edge-trial-") as folder:
            result = Path(folder) / "outputs.npz"
            command = [sys.executable, "-m", self._module, str(file.resolve()), "--out", str(result)]
            finished = self._finish([*command, "--delegate", library] if library else command)
            if finished.returncode != 0:
                raise _failure(finished)
            return _read_result(result)

    def _finish(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        # The child finds the same package as this process does, wherever it was started from.
        package_home = str(Path(edge.__file__).resolve().parent.parent)
        path = os.pathsep.join(filter(None, [package_home, os.environ.get("PYTHONPATH", "")]))
        environment = {**os.environ, "PYTHONPATH": path}
        try:
            return subprocess.run(  # noqa: S603 - our own interpreter and module; the file is one argument
                command, capture_output=True, text=True, errors="replace", timeout=self._timeout_s, env=environment,
                stdin=subprocess.DEVNULL, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise ModelError(f"one run did not finish within {self._timeout_s:g} s; too large, or it hangs") from error
        except OSError as error:
            raise ModelError(f"the trial run could not be started: {error}") from error


def _failure(finished: subprocess.CompletedProcess[str]) -> ModelError | MissingLibraryError:
    """Why the child ended, in words."""
    if finished.returncode < 0:
        name = signal.Signals(-finished.returncode).name
        return ModelError(f"the runtime crashed on it ({name}); the file is damaged or needs another runtime")
    told = _told(finished.stdout)
    if told.get("kind") == "MissingLibraryError":
        return MissingLibraryError(str(told["error"]))
    if told:
        return ModelError(f"the runtime refuses it: {told.get('error')}")
    last = (finished.stderr.strip().splitlines() or ["no message"])[-1]
    return ModelError(f"the trial run failed (exit {finished.returncode}): {last[:300]}")


def _told(output: str) -> dict[str, object]:
    for line in reversed(output.splitlines()):
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            return value
    return {}


def _read_result(path: Path) -> TrialRun:
    try:
        if path.stat().st_size > _MAX_RESULT_BYTES:
            raise ModelError(f"the trial run gave {path.stat().st_size} bytes; no detector's outputs are that large")
        with np.load(path, allow_pickle=False) as arrays:
            facts = json.loads(str(arrays["facts"]))
            outputs = tuple(arrays[f"output_{position}"] for position in range(len(facts["names"])))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ModelError(f"the trial run left no readable result: {error}") from error
    return TrialRun(outputs, str(facts["runtime"]), str(facts["version"]))

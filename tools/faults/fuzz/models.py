"""A model file: read by our own code in the service (``models``), and run by the runtime in a child (``runs``)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from tempfile import mkstemp

from tools.faults.fuzz.target import Target


def _seeds() -> list[bytes]:
    import numpy as np

    from tests.catalog.made_models import SIZE, ltrb, postprocess_parts, probabilities
    from tests.tflite_builder import plain, ssd_postprocess
    from tools.faults.red_model import build_red_model

    small = plain({"boxes": np.zeros((1, 4, 4), np.float32), "scores": probabilities(4, 3)[None]}, size=SIZE)
    small.attach("labels.txt", "person\nvehicle\nanimal\n")
    small.normalisation(mean=[127.5], std=[127.5])
    builds = [build_red_model(), ltrb(strides=(32,)), small, ssd_postprocess(**postprocess_parts(classes=3, count=4))]
    return [each.to_bytes() for each in builds]


def _file() -> tuple[int, Path]:
    handle, name = mkstemp(dir="/dev/shm", suffix=".tflite")
    Path(name).unlink()
    return handle, Path(f"/proc/self/fd/{handle}")


def _open_reader() -> Callable[[bytes], None]:
    from edge.catalog.inspector import inspect_file

    handle, path = _file()

    def one(content: bytes) -> None:
        os.ftruncate(handle, 0)
        os.pwrite(handle, content, 0)
        found = inspect_file(path, trial=None)
        assert found.usable or found.reason
        assert found.reason.isprintable(), found.reason

    return one


def _open_runs() -> Callable[[bytes], None]:
    from edge.core.errors import ModelError
    from edge.infer.probe import run_once

    handle, path = _file()

    def one(content: bytes) -> None:
        os.ftruncate(handle, 0)
        os.pwrite(handle, content, 0)
        try:
            run_once(path, library="", threads=1)
        except ModelError:
            return

    return one


_WORDS = [b"TFL3", b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"\xff\xff\xff\xff", b"\0\0\0\x80", b"M001", b"\0" * 8]
MODELS = Target("models", _seeds, _open_reader, _WORDS)
RUNS = Target("runs", _seeds, _open_runs, _WORDS, is_native=True)

"""Which model runs: by name or path, and by the accelerator that is there."""

from __future__ import annotations

import logging
from collections.abc import Callable

from edge.catalog.store import find_model
from edge.config.values import Config
from edge.core.errors import EdgeError, MissingLibraryError, ModelError
from edge.core.model import Model

logger = logging.getLogger(__name__)

Find = Callable[[str], Model]


def find(name_or_path: str) -> Model:
    """A model by its card's name or its file.

    Raises
    ------
    ModelError
        If there is none, or it can't be used; says why and the way out.
    """
    return find_model(name_or_path)


def resolve_model(config: Config, asked: str | None = None) -> Model:
    """The model that the configuration's ``model`` and ``accelerator`` ask for, on this machine.

    asked : what was chosen instead of the configuration's; None = nothing was
    """
    return choose_version(find(asked or config.model), config.accelerator, find=find, is_edgetpu_ready=is_edgetpu_ready)


def choose_version(model: Model, accelerator: str, *, find: Find, is_edgetpu_ready: Callable[[], bool]) -> Model:
    """The model, or its twin for the other backend.

    Parameters
    ----------
    accelerator : "cpu" and "edgetpu[:...]" get the version for it; "auto" gets the Edge TPU's where that works,
        else the CPU's
    find : a model by name
    is_edgetpu_ready : asked at most once, and only when it matters

    Raises
    ------
    ModelError
        If there is no version for the accelerator.
    MissingLibraryError
        If the model is for the Edge TPU alone, which does not work here.
    """
    if accelerator == "auto":
        return _choose_best(model, find, is_edgetpu_ready)
    wanted = "cpu" if edgetpu_device(accelerator) is None else "edgetpu"
    if model.layout.backend == wanted:
        return model
    if model.twin is None:
        raise ModelError(
            f"model {model.name}: expected a version for the accelerator {accelerator}, found one for "
            f"{_words(model.layout.backend)} alone; set `accelerator: auto`, or choose another model (edge models list)"
        )
    return find(model.twin)


def version_for_cpu(model: Model, find: Find) -> Model:
    """The model's version for the CPU, or the model itself where there is none at hand."""
    if model.layout.backend == "cpu" or model.twin is None:
        return model
    try:
        return find(model.twin)
    except EdgeError:
        return model


def is_edgetpu_ready() -> bool:
    """Whether an Edge TPU is attached and its library loads.

    The kernel is asked first: native code is touched only on a machine that has the device.
    """
    if not has_edgetpu():
        return False
    from edge.infer.delegate import open_edgetpu
    from edge.infer.runtime import load_runtime

    try:
        open_edgetpu(load_runtime())
    except MissingLibraryError as error:
        logger.warning("an Edge TPU is attached but can't be used; the CPU is: %s", error)
        return False
    return True


def _choose_best(model: Model, find: Find, is_edgetpu_ready: Callable[[], bool]) -> Model:
    if model.twin is None:
        return model  # a model for the Edge TPU alone is tried, and says what it lacks
    if is_edgetpu_ready() == (model.layout.backend == "edgetpu"):
        return model
    try:
        return find(model.twin)
    except EdgeError as error:
        if model.layout.backend == "edgetpu":
            raise
        logger.warning("model %s runs on the CPU, though an Edge TPU is there: %s", model.name, error)
        return model


def edgetpu_device(accelerator: str) -> str | None:
    """ "edgetpu" -> "", "edgetpu:usb" -> "usb"; None for the others."""
    kind, _, device = accelerator.partition(":")
    return device if kind == "edgetpu" else None


def has_edgetpu() -> bool:
    from edge.infer.delegate import find_edgetpus  # the service asks this, and runs no model itself

    return bool(find_edgetpus())


def _words(backend: str) -> str:
    return "the Edge TPU" if backend == "edgetpu" else "the CPU"

"""The model's smaller sister: what takes its place when the governor has nothing else left to do without."""

from __future__ import annotations

import logging

from edge.assemble.model import choose_version, find
from edge.config.values import Config
from edge.core.errors import ConfigError, ModelError
from edge.core.model import Family, Model

logger = logging.getLogger(__name__)

KEY = "governor.smaller_model"
_AUTO, _NONE = "auto", "none"
_SHOWN = 6


def find_sister(config: Config, model: Model) -> Model | None:
    """The CPU's version of what does ``model``'s work for less; None where there is none, or none is wanted.

    Raises
    ------
    ModelError
        When the configuration names one that can't take its place. What a card names is left out without a word to
        the user: nobody asked for it, and it may not have been pulled.
    """
    governor = config.governor
    if not governor.enabled or governor.smaller_model == _NONE:
        return None
    if governor.smaller_model != _AUTO:
        return _fitting(governor.smaller_model, model, config)
    if model.smaller is None:
        return None
    try:
        return _fitting(model.smaller, model, config)
    except ModelError as error:
        logger.debug("no smaller model stands by: %s", error)
        return None


def sister_of(config: Config, model: Model) -> Model | None:
    """As ``find_sister``; what is wrong is said with its place in the file, as a ConfigError."""
    try:
        return find_sister(config, model)
    except ModelError as error:
        raise ConfigError(f"{config.origin.file}: {KEY}: {error}") from error


def _fitting(name: str, model: Model, config: Config) -> Model:
    """A model whose answers mean what the larger one's mean; raises ModelError."""
    sister = choose_version(find(name), "cpu", find=find, is_edgetpu_ready=lambda: False)
    way_out = f"; name another (edge models list), or set {KEY}: none"
    missing = [label for label in model.labels if label not in sister.labels and any(map(str.isalnum, label))]
    if missing:
        shown = ", ".join(missing[:_SHOWN]) + f" and {len(missing) - _SHOWN} more" * (len(missing) > _SHOWN)
        raise ModelError(
            f"expected a model that knows all labels of {model.name}, so that thresholds, zones and rules keep their "
            f"meaning; {sister.name} lacks {shown}{way_out}"
        )
    if config.boxes == "raw" and sister.layout.family is not Family.SSD_POSTPROCESS:
        raise ModelError(
            f"boxes: raw reads models of the family {Family.SSD_POSTPROCESS}; {sister.name} is of the family "
            f"{sister.layout.family}{way_out}"
        )
    if not _is_less(sister, model):
        raise ModelError(
            f"expected less work than {model.name} is: a smaller input or a smaller file; {_size(sister)} is no less "
            f"than {_size(model)}{way_out}"
        )
    return sister


def _is_less(one: Model, other: Model) -> bool:
    return _pixels(one) < _pixels(other) or one.path.stat().st_size < other.path.stat().st_size


def _pixels(model: Model) -> int:
    return model.layout.input.width * model.layout.input.height


def _size(model: Model) -> str:
    layout = model.layout.input
    return f"{model.name} ({layout.width}x{layout.height}, {model.path.stat().st_size / 1e6:.1f} MB)"

"""Which model the service runs: the one that was asked for, unless experience speaks against it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from edge.assemble.outbox import outbox_path, state_folders
from edge.catalog.choice import ModelChoice
from edge.catalog.store import find_model, is_path
from edge.catalog.trust import ModelTrust, Standing
from edge.config.values import Config
from edge.core.errors import ModelError
from edge.core.looking import is_file
from edge.core.model import Model
from edge.service.news import ROLLED_BACK

logger = logging.getLogger(__name__)

CHANGED = "model_changed"


@dataclass(frozen=True, slots=True)
class Stock:
    """The model to run, and what is to be said of it.

    asked : the name or path in force: the choice's (``edge models use``), else the configuration's
    is_bare : no card vouches for its content
    reasons : codes for health
    """

    model: Model
    asked: str
    is_bare: bool = False
    reasons: tuple[str, ...] = ()


def kept_folder(config: Config) -> Path:
    """Where the service keeps what outlives it: beside the outbox."""
    return outbox_path(config).parent


def model_in_force(config: Config) -> str | None:
    """What ``edge models use`` chose instead of the configuration's model; None = nothing. Raises ModelError."""
    choices = (ModelChoice(folder) for folder in state_folders(config))
    choice = next((choice for choice in choices if is_file(choice.file)), None)
    return None if choice is None else choice.in_force(config.model)


def take_stock(config: Config, trust: ModelTrust, choice: ModelChoice) -> Stock:
    """The model in force, or the last good one where that one is missing, damaged or known to crash.

    Raises
    ------
    ModelError
        When there is nothing to run.
    """
    asked = choice.in_force(config.model) or config.model
    is_bare = is_path(asked) and Path(asked).suffix not in {".yaml", ".yml"}
    try:
        model = find_model(asked)
    except ModelError as error:
        return _last_good(trust, asked, error, of=asked)
    if asked != config.model:
        logger.info("model %s was chosen by 'edge models use'; the configuration says %s", asked, config.model)
    judgement = trust.judge(model, is_bare=is_bare)
    if judgement.standing is Standing.DAMAGED:
        return _last_good(trust, asked, ModelError(judgement.words), of=asked)
    if judgement.standing is Standing.QUARANTINED:
        return _last_good_or(model, trust, asked, judgement.words)
    if judgement.standing is Standing.CHANGED:
        logger.warning("%s", judgement.words)
        return Stock(model, asked, is_bare, (CHANGED,))
    return Stock(model, asked, is_bare)


def _last_good(trust: ModelTrust, asked: str, error: ModelError, *, of: str | None) -> Stock:
    good = trust.last_good(of)
    if good is None:
        raise error
    logger.error("%s; running the copy of the last good one (%s)", error, good.path)
    return Stock(good, asked, reasons=(ROLLED_BACK,))


def _last_good_or(model: Model, trust: ModelTrust, asked: str, words: str) -> Stock:
    """A model that crashes is better than none: its crashes may have been the machine's fault."""
    good = trust.last_good()
    if good is None or good.sha256 == model.sha256:
        logger.error("%s; there is no other, so it is tried once more", words)
        return Stock(model, asked, is_bare=is_path(asked))
    logger.error("%s; running the last good one, %s", words, good.name)
    return Stock(good, asked, reasons=(ROLLED_BACK,))

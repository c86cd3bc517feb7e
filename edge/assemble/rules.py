"""A camera's zones, lines and rules, from the words of the configuration to objects."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from pathlib import Path

from edge.assemble.outbox import outbox_path
from edge.config.values import Camera, Config
from edge.config.values import Rule as RuleWords
from edge.core.events import Severity
from edge.core.model import Model
from edge.track.attention import Attention, SizeLimits
from edge.track.hours import Hours
from edge.track.ledger import Ledger
from edge.track.rulebook import Layout, RuleBook
from edge.track.rules.absence import Absence
from edge.track.rules.appear import Appear
from edge.track.rules.count import Count
from edge.track.rules.cross import Cross
from edge.track.rules.dwell import Dwell
from edge.track.rules.enter import Enter
from edge.track.rules.exit import Exit
from edge.track.rules.leave import Leave
from edge.track.rules.terms import Terms
from edge.track.rules.view import Rule
from edge.track.settings import DEFAULT_START_SCORE
from edge.track.wanted import Wanted

_RULES: dict[str, Callable[[Terms, RuleWords], Rule]] = {
    "appear": lambda terms, _: Appear(terms),
    "leave": lambda terms, _: Leave(terms),
    "enter": lambda terms, _: Enter(terms),
    "exit": lambda terms, _: Exit(terms),
    "dwell": lambda terms, words: Dwell(terms, words.seconds or 0.0),
    "count": lambda terms, words: Count(terms, words.count or 1, words.seconds or 0.0),
    "absence": lambda terms, words: Absence(terms, words.seconds or 0.0),
    "cross": lambda terms, words: Cross(terms, words.line or "", words.direction),
}


def make_wanted(name: str, camera: Camera, model: Model) -> Wanted:
    """The labels and scores a camera asks for; raises ConfigError for labels the model does not know."""
    thresholds = dict(camera.thresholds)
    default = thresholds.pop("default", model.threshold)
    return Wanted(model.labels, chosen=camera.labels, default=default, thresholds=thresholds, camera=name)


def make_attention(camera: Camera, wanted: Wanted, model: Model) -> Attention:
    """What of the model's detections the camera's tracker is shown."""
    sizes = {label: SizeLimits(each.min_area, each.max_area) for label, each in camera.sizes.items()}
    return Attention(wanted, model.labels, sizes=sizes, ignored=camera.ignore, anchor=camera.anchor)


def make_rules(camera: Camera, wanted: Wanted, model: Model, *, zone: tzinfo | None, ledger: Ledger | None) -> RuleBook:
    """The camera's zones, lines and rules; schedules count in ``zone``, None = this machine's."""
    rules = [make_rule(name, words, wanted, zone) for name, words in camera.rules.items()]
    return RuleBook(make_layout(camera, model), rules, ledger)


def make_rule(name: str, words: RuleWords, wanted: Wanted, zone: tzinfo | None) -> Rule:
    """One rule; its scores follow those that are ``wanted`` as they change."""

    def threshold(class_id: int) -> float:
        scores = wanted.start_scores
        return scores[class_id] if 0 <= class_id < len(scores) else DEFAULT_START_SCORE

    return _RULES[words.when](_terms(name, words, zone, threshold), words)


def make_layout(camera: Camera, model: Model) -> Layout:
    """What is drawn into the camera's picture."""
    return Layout(
        zones=camera.zones,
        lines={name: (line.start, line.end) for name, line in camera.lines.items()},
        anchor=camera.anchor,
        labels=camera.labels or _told_labels(model),
    )


def time_zone(config: Config) -> tzinfo | None:
    """None = this machine's."""
    if config.timezone is None:
        return None
    from zoneinfo import ZoneInfo  # where one is named: it takes the time of some twenty of our own modules

    return ZoneInfo(config.timezone)


def ledger_of(config: Config, camera: str) -> Ledger | None:
    """Where the camera's line counts survive a restart: beside the outbox. None for a camera without lines."""
    return Ledger(ledger_file(config, camera)) if config.cameras[camera].lines else None


def ledger_file(config: Config, camera: str) -> Path:
    return outbox_path(config).parent / f"lines-{camera}.json"


def _terms(name: str, words: RuleWords, zone: tzinfo | None, threshold: Callable[[int], float]) -> Terms:
    return Terms(
        name,
        Severity(words.severity),
        label=words.label,
        zone=words.zone,
        cooldown_s=words.cooldown_seconds,
        hours=None if words.schedule is None else Hours(words.schedule.covers, zone),
        threshold=threshold,
    )


def _told_labels(model: Model) -> tuple[str, ...]:
    """The model's labels without the holes in its numbering, each once."""
    return tuple(dict.fromkeys(label for label in model.labels if any(letter.isalnum() for letter in label)))

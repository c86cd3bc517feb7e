"""After a crash loop: the configuration and the model that ran well before, instead of those that do not."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edge import __version__
from edge.assemble.outbox import state_folder
from edge.config.load import parse_config, read_bounded
from edge.config.values import Config
from edge.core.errors import ConfigError
from edge.core.kept_file import read_kept, sync_folder, write_kept
from edge.core.model import Model, ModelLayout
from edge.core.protocols import Clock
from edge.service.crash_loop import START_S, Starts, Verdict, after_good_run, judge_start
from edge.service.systemd import Notifier

logger = logging.getLogger(__name__)

STARTS = "starts.json"
LAST_GOOD = "last-good"
_RECORD = "last-good.json"


class KeptModel(msgspec.Struct, frozen=True):
    """A model as edge.core.model.Model; its file lies beside the record, under its digest."""

    name: str
    sha256: str
    layout: ModelLayout
    labels: tuple[str, ...]
    threshold: float
    groups: dict[str, tuple[str, ...]] | None

    def place(self, folder: Path) -> Path:
        return folder / f"{self.sha256}.tflite"

    def model(self, folder: Path) -> Model:
        return Model(
            self.name,
            self.place(folder),
            self.sha256,
            self.layout,
            self.labels,
            threshold=self.threshold,
            groups=self.groups,
        )


class LastGood(msgspec.Struct, frozen=True):
    """What ran well: the configuration file's text, and the model."""

    text: str
    file: str
    model: KeptModel


@dataclass(slots=True)
class Start:
    """How this run begins, and what is remembered of it.

    model : None = the configuration's
    note : for systemd's status line; reasons : for the health report
    """

    config: Config
    content: bytes
    folder: Path | None
    verdict: Verdict
    model: Model | None = None
    note: str = ""
    reasons: tuple[str, ...] = ()

    def finished(self) -> None:
        """An orderly end, or an error that a person has to mend: no crash."""
        starts = self.verdict.starts
        if self.verdict.is_loop:
            self._remember(Starts(starts.what, starts.unfinished - 1, starts.boot, starts.here - 1))
        else:
            self._remember(Starts(starts.what, 0, starts.boot))

    def ran_well(self, model: Model, copy: Model | None = None) -> None:
        """It has run for a while: this is what to come back to; ``copy`` : the model that is kept elsewhere already."""
        self._remember(after_good_run(self.verdict.starts, was_loop=self.verdict.is_loop))
        if self.folder is not None and not self.verdict.is_loop:
            try:
                keep(self.folder / LAST_GOOD, self.content, self.config.origin.file, model, copy)
            except OSError as error:
                logger.warning("this configuration could not be kept for safe mode: %s", error.strerror or error)

    def take_up(self, config: Config, content: bytes) -> None:
        """Another configuration runs from now on, and this run counts as the first start of it."""
        self.config, self.content, self.model = config, content, None
        self.note, self.reasons = "", ()
        self.verdict = judge_start(None, _what(content), self.verdict.starts.boot)
        self._remember(self.verdict.starts)

    def _remember(self, starts: Starts) -> None:
        if self.folder is not None:
            remember(self.folder, starts)


def begin(file: Path, clock: Clock, *, environment: Mapping[str, str] = os.environ) -> Start:
    """Read the configuration and see how earlier starts of it ended; waits if they ended badly.

    Only where somebody restarts us: at a desk a crash is seen by a person.

    Raises
    ------
    ConfigError
        If the file is wrong: that is told, not worked around.
    """
    content = read_bounded(file)
    config = parse_config(content, file)
    folder = state_folder() if environment.get("NOTIFY_SOCKET") else None
    verdict = judge_start(None if folder is None else _recall(folder), _what(content), clock.boot_id())
    if folder is not None:
        remember(folder, verdict.starts)
    if verdict.wait_s:
        failed = verdict.starts.here - 1
        logger.error("%d starts in a row ended before long; waiting %g s before this one", failed, verdict.wait_s)
        Notifier(environment=environment).extend(verdict.wait_s + START_S)
        clock.sleep(verdict.wait_s)
    start = Start(config, content, folder, verdict)
    if verdict.is_loop and folder is not None:
        _enter_safe_mode(start, folder)
    return start


def _what(content: bytes) -> str:
    """Tells one configuration and version of edge from another."""
    return hashlib.sha256(__version__.encode() + b"\0" + content).hexdigest()


def _enter_safe_mode(start: Start, folder: Path) -> None:
    kept = _read(folder / LAST_GOOD)
    if kept is None:
        start.note, start.reasons = "crash loop", ("crash_loop",)
        logger.error("a crash loop, and no configuration that ever ran well is kept; going on with this one")
        return
    start.config, start.model = kept
    start.note, start.reasons = "safe mode", ("safe_mode",)
    logger.error(
        "safe mode: %s does not keep running; what ran well before is used, with the model %s. Mend the file, check it "
        "with `edge check`, and restart the service",
        start.config.origin.file,
        kept[1].name,
    )


def keep(folder: Path, content: bytes, file: Path, model: Model, twin: Model | None = None) -> None:
    """Write down what runs well, unless that is known already; ``twin`` : a copy that is there. Raises OSError."""
    kept = KeptModel(model.name, model.sha256, model.layout, model.labels, model.threshold, model.groups)
    record, copy = LastGood(content.decode("utf-8"), str(file), kept), kept.place(folder)
    if _known(folder) == record and copy.exists():
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _copy(model, copy, twin if twin is not None and twin.sha256 == model.sha256 else None)
    write_kept(folder / _RECORD, record)
    for other in folder.glob("*.tflite*"):
        if other != copy:
            other.unlink(missing_ok=True)


def remember(folder: Path, starts: Starts) -> None:
    """A disk that takes nothing is no reason not to start."""
    try:
        write_kept(folder / STARTS, starts)
    except OSError as error:
        logger.warning("starts can't be counted: %s", error.strerror or error)


def _recall(folder: Path) -> Starts | None:
    try:
        return read_kept(folder / STARTS, Starts)
    except (OSError, ValueError) as error:
        logger.warning("earlier starts are not known: %s", error)
        return None


def _read(folder: Path) -> tuple[Config, Model] | None:
    """What is kept, if all of it is as it was written."""
    kept = _known(folder)
    if kept is None:
        return None
    try:
        model = kept.model.model(folder)
        if hashlib.sha256(model.path.read_bytes()).hexdigest() != model.sha256:
            logger.error("%s has changed since it was kept; it is not used", model.path)
            return None
        return parse_config(kept.text.encode(), Path(kept.file)), model
    except (OSError, ConfigError) as error:  # ConfigError: of a version that knew other keys
        logger.error("what ran well before can't be used any more: %s", error)
        return None


def _known(folder: Path) -> LastGood | None:
    try:
        return read_kept(folder / _RECORD, LastGood, largest_bytes=4 << 20)
    except (OSError, ValueError) as error:
        logger.warning("what ran well before is not known: %s", error)
        return None


def _copy(model: Model, target: Path, twin: Model | None) -> None:
    """In one step, and safe from a power cut before anything refers to it; the disk holds the content once."""
    if target.exists():
        return
    fresh = target.with_name(f"{target.name}.new")
    if twin is not None:
        try:
            target.hardlink_to(twin.path)
        except OSError as error:  # on another disk, or one that knows no links
            logger.debug("%s: %s", target, error)
        else:
            sync_folder(target.parent)
            return
    with model.path.open("rb") as reading, fresh.open("wb") as writing:
        shutil.copyfileobj(reading, writing)
        writing.flush()
        os.fsync(writing.fileno())
    fresh.replace(target)
    sync_folder(target.parent)

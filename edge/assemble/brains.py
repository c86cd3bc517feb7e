"""The versions of the model that can run here, and what is learnt of them, to processes."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec

from edge.assemble.early import INFER
from edge.assemble.model import choose_version, edgetpu_device, find, has_edgetpu
from edge.assemble.orders import InferOrder, encode_order
from edge.assemble.stock import Stock, kept_folder, take_stock
from edge.catalog.choice import ModelChoice
from edge.catalog.trust import ModelTrust
from edge.config.values import Config
from edge.core.errors import EdgeError
from edge.core.model import Model
from edge.core.protocols import Clock
from edge.service.aside import do_aside
from edge.service.brain import Brain
from edge.service.brains import Brains
from edge.service.breaker import Breaker
from edge.service.checkup import Checkup
from edge.service.golden_book import GoldenBook
from edge.service.inference import Inference
from edge.service.on_cpu import Experience
from edge.service.staff import Version
from edge.service.waking import WakingClock

logger = logging.getLogger(__name__)

_ACCELERATOR_START_S = 10.0
_START_S = 30.0


@dataclass(frozen=True, slots=True)
class LineUp:
    """What can run here.

    stock : what was asked for, and what is known of it
    accelerated : None = nothing for an accelerator, or none is wanted
    cpu : what runs where the other can't; an accelerator's model again, where that has no other version
    stands_in_for : what it takes the place of for a while, on a hot day: that one's labels count
    """

    stock: Stock
    trust: ModelTrust
    accelerated: Model | None
    cpu: Model
    stands_in_for: LineUp | None = None

    @property
    def model(self) -> Model:
        """Whose labels and thresholds count."""
        model = self.accelerated or self.cpu
        return model if self.stands_in_for is None else replace(model, labels=self.stands_in_for.model.labels)

    def with_less(self, sister: Model) -> LineUp:
        """The smaller sister in its place: on the CPU, where the heat is."""
        return LineUp(self.stock, self.trust, None, sister, stands_in_for=self)


def line_up(config: Config, kept: Model | None = None) -> LineUp:
    """Find what can run, without touching native code.

    Parameters
    ----------
    kept : what safe mode runs, whatever was asked for

    Raises
    ------
    ModelError
        When there is nothing to run.
    """
    folder = kept_folder(config)
    trust = ModelTrust(folder)
    trust.open()
    if kept is not None:
        return LineUp(Stock(kept, kept.name), trust, None, kept)
    stock = take_stock(config, trust, ModelChoice(folder))
    accelerated, cpu = _versions(stock.model, config.accelerator)
    if accelerated is not None and cpu is None:
        return LineUp(stock, trust, None, accelerated)
    assert cpu is not None
    return LineUp(stock, trust, accelerated, cpu)


def _versions(model: Model, accelerator: str) -> tuple[Model | None, Model | None]:
    """For the accelerator and for the CPU; one of them at least."""
    if accelerator == "cpu":
        return None, choose_version(model, "cpu", find=find, is_edgetpu_ready=lambda: False)
    if edgetpu_device(accelerator) is not None:
        wanted = choose_version(model, accelerator, find=find, is_edgetpu_ready=lambda: True)
        return wanted, model if model.layout.backend == "cpu" else _twin(wanted)
    if model.layout.backend == "cpu":
        return _twin(model), model
    return model, _twin(model)


def _twin(model: Model) -> Model | None:
    """The other version; None where there is none, or it is not here."""
    if model.twin is None:
        return None
    try:
        return find(model.twin)
    except EdgeError as error:
        if model.layout.backend == "edgetpu":
            logger.warning("model %s: nothing stands in for it when the Edge TPU fails: %s", model.name, error)
        elif has_edgetpu():
            logger.warning("model %s runs on the CPU, though an Edge TPU is there: %s", model.name, error)
        return None


class Workshop:
    """Makes what runs each version."""

    def __init__(self, line: LineUp, order: InferOrder, *, book: GoldenBook, runs: int, clock: Clock) -> None:
        """
        Parameters
        ----------
        order : what all of them are told; each gets its own model
        runs : of the model per frame at most
        """
        self._line = line
        self._order = order
        self._book = book
        self._runs = runs
        self._clock, self._waking = clock, WakingClock(clock)
        self._cpu = line.cpu
        self.is_on_trial = False  # then a model that can't run is refused, not replaced by the last good one

    def brains(self, memories: Mapping[str, int]) -> Brains:
        """All processes; none of them runs yet."""
        line, accelerator = self._line, self._order.accelerator
        best = line.accelerated
        accelerated = None if best is None else self._version(best, memories, twin=line.cpu)
        return Brains(
            self._version(line.cpu, memories),
            accelerated,
            breaker=Breaker(),
            clock=self._clock,
            experience=Experience(proven=self._trust, relapsed=lambda: self._last_good(memories)),
            is_worth_a_try=lambda: accelerator != "auto" or has_edgetpu(),
            reasons=line.stock.reasons,
        )

    def inference(self, model: Model, *, twin: Model | None = None) -> Inference:
        """What runs one version; ``twin`` : an accelerator's has to be measured by it."""
        is_accelerated = twin is not None
        order = msgspec.structs.replace(
            self._order,
            model=model,
            twin=twin,
            accelerator=self._order.accelerator if model.layout.backend == "edgetpu" else "cpu",
            redact=self._redacted(model),
        )
        return Inference(
            INFER,
            encode_order(order),
            self._runs,
            name="infer on the Edge TPU" if is_accelerated else "infer",
            start_s=_ACCELERATOR_START_S if is_accelerated else _START_S,
            is_restarted=not is_accelerated,
            class_ids=_class_ids(model, self._line.model),
        )

    def _version(self, model: Model, memories: Mapping[str, int], *, twin: Model | None = None) -> Version:
        inference = self.inference(model, twin=twin)
        checkup = Checkup(self._book, boxes=self._order.boxes, twin_sha256=None if twin is None else twin.sha256)
        return Version(lambda: Brain(inference, memories, self._waking), checkup)

    def _redacted(self, model: Model) -> dict[str, tuple[int, ...]]:
        """In the model's own classes. Where it can't see what has to be made unrecognisable, there is no picture."""
        labels = self._line.model.labels
        hidden = {camera: {labels[each] for each in classes} for camera, classes in self._order.redact.items()}
        return {
            camera: tuple(place for place, label in enumerate(model.labels) if label in wanted)
            for camera, wanted in hidden.items()
            if wanted <= set(model.labels)
        }

    def _trust(self) -> None:
        """Copying a model to an SD card takes a second, which the cameras do not have."""
        stock, model = self._line.stock, self._cpu
        if model.sha256 != stock.model.sha256:
            return
        trust = self._line.trust
        do_aside(lambda: trust.trust(model, asked=stock.asked, is_bare=stock.is_bare), name="keep the model")

    def _last_good(self, memories: Mapping[str, int]) -> Version | None:
        trust, bad = self._line.trust, self._cpu
        if self._line.stands_in_for is not None:
            return self._larger(self._line.stands_in_for.cpu, memories)
        good = trust.last_good()
        if self.is_on_trial or good is None or good.sha256 == bad.sha256 or good.layout.backend != "cpu":
            return None
        logger.error("model %s crashed three times within a minute; the last good one runs: %s", bad.name, good.name)
        trust.quarantine(bad, "its process crashed three times within a minute")
        self._cpu = good
        return self._version(good, memories)

    def _larger(self, larger: Model, memories: Mapping[str, int]) -> Version | None:
        """A sister that crashes is worth nothing while there is the one that ran before."""
        if self.is_on_trial or self._cpu is larger:
            return None
        logger.error("model %s crashed three times within a minute; %s runs again", self._cpu.name, larger.name)
        self._cpu = larger
        return self._version(larger, memories)


def _class_ids(model: Model, nominal: Model) -> tuple[int, ...] | None:
    """The class, in the labels that count here, of each of the model's; None where the lists are the same."""
    if model.labels == nominal.labels:
        return None
    places = {label: place for place, label in enumerate(nominal.labels)}
    return tuple(places.get(label, -1) for label in model.labels)

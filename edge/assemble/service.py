"""A configuration to a running service: every part named, none of them running yet."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge import __version__
from edge.assemble.brains import LineUp, line_up
from edge.assemble.broker import detector_setup, publisher_setup
from edge.assemble.commands import Adjustable, Settings, camera_settings, make_desk, open_overrides
from edge.assemble.home_assistant import make_announcer
from edge.assemble.leftovers import make_leftovers
from edge.assemble.outbox import SpeakingKeeper, outbox_path, outbox_policy, teller, volatile_path
from edge.assemble.pipeline import Shared, make_pipeline
from edge.assemble.rules import ledger_of, make_rules, make_wanted, time_zone
from edge.assemble.safe_mode import Start
from edge.assemble.sight import make_arbiter
from edge.assemble.snapshots import make_snapshots, publishing_cameras
from edge.assemble.steward import make_steward
from edge.assemble.threads import choose_threads
from edge.config.values import Config
from edge.core.model import Model
from edge.core.protocols import Clock
from edge.core.values import Message, ModelRef
from edge.report.listening import Heard, Inbox
from edge.report.outbox.values import Loss, Outgoing
from edge.report.outbox.writer import OutboxWriter
from edge.report.states import Delivery, DeviceInfo, Privacy, info_message
from edge.report.topics import Topics
from edge.service.brains import Brains
from edge.service.child import Child
from edge.service.crash_loop import GoodRun
from edge.service.doors import Errand
from edge.service.health import camera_status, health_report
from edge.service.identity import Identities, new_epoch
from edge.service.news import ROLLED_BACK
from edge.service.pipeline import Pipeline, Witness
from edge.service.publishing import Publishing, other_publisher, own_publisher
from edge.service.reading import Reports
from edge.service.runner import Service
from edge.service.systemd import Notifier
from edge.track.wanted import Wanted, lowest_score


@dataclass(frozen=True, slots=True)
class Assembly:
    """The service, and what its caller needs besides.

    epoch : of this run's events
    summary : one line that says what runs where
    """

    service: Service
    outlet: Publishing
    outbox: Path
    epoch: str
    summary: str


def assemble_service(start: Start, clock: Clock, *, publisher: Path | None = None) -> Assembly:
    """Build everything; raises what a person has to mend before anything starts.

    publisher : the socket of a publisher that runs by itself; None = the service starts one

    Raises
    ------
    ConfigError, ModelError, MissingLibraryError
    """
    config = start.config
    line = line_up(config, start.model)
    model = line.model
    wanted = {name: make_wanted(name, camera, model) for name, camera in config.cameras.items()}
    overrides = open_overrides(config, wanted)
    disabled = frozenset(name for name in config.cameras if overrides.of(name).enabled is False)
    arbiter = make_arbiter(config, line, lowest_score(wanted.values()), disabled=disabled, clock=clock)
    topics = Topics(config.device, model.labels)
    inbox = Inbox()
    identities = Identities(config.device, new_epoch(clock))
    outbox = outbox_path(config)

    def tell_info(delivery: Delivery) -> Message:
        settings = camera_settings(config, model, wanted, overrides)
        return _info(config, arbiter.brain, topics, delivery, settings)

    outlet = make_outlet(
        config,
        outbox,
        tell=teller(topics, identities, clock, cameras=tuple(config.cameras), backend=model.layout.backend),
        describe=tell_info,
        hear=inbox.put,
        clock=clock,
        publisher=publisher,
    )
    shared = Shared(model, topics, identities, clock)
    snapshots = make_snapshots(config, model, topics, arbiter.brain, clock)
    witness = None if snapshots is None else snapshots.witness
    pipelines = {name: _pipeline(name, config, wanted[name], shared, witness) for name in config.cameras}
    announcer = make_announcer(config, model, topics, clock=clock, is_settled=outlet.is_settled)
    errands: list[Errand] = [GoodRun(lambda: _remember(start, line, arbiter.brain), clock)]
    errands += [make_leftovers(config, model, topics, is_settled=outlet.is_settled)]
    errands += [each for each in (announcer, snapshots) if each is not None]
    if config.commands.enabled:
        parts = Adjustable(arbiter.brain, wanted, pipelines, arbiter.eyes)
        errands += [
            make_desk(config, parts, overrides, inbox=inbox, topics=topics, clock=clock, tell_info=outlet.describe)
        ]
    service = Service(
        sight=arbiter,
        pipelines=pipelines,
        outlet=outlet,
        reports=Reports(
            camera=camera_status(topics),
            health=health_report(topics, tuple(config.cameras), clock, folder=config.folder, standing=start.reasons),
            interval_s=config.health.interval_seconds,
        ),
        notifier=Notifier(note=start.note),
        clock=clock,
        errands=errands,
        steward=make_steward(config, arbiter),
    )
    return Assembly(service, outlet, outbox, identities.epoch, _summary(config, model, outbox))


def _remember(start: Start, line: LineUp, brains: Brains) -> None:
    """It has run well: with the CPU's version, which needs the least, unless that is what did not."""
    if ROLLED_BACK not in brains.reasons:
        start.ran_well(line.cpu)


def _summary(config: Config, model: Model, outbox: Path) -> str:
    names = tuple(config.cameras)
    return (
        f"edge {__version__}: device {config.device}, {len(names)} camera(s) {', '.join(names)}; model {model.name} on "
        f"{model.layout.backend} ({choose_threads(config.threads)} threads); "
        f"broker {config.broker.host}:{config.broker.port}; events wait in {outbox}"
    )


def make_outlet(
    config: Config,
    outbox: Path,
    *,
    tell: Callable[[Loss], Outgoing],
    describe: Callable[[Delivery], Message],
    clock: Clock,
    hear: Callable[[Heard], None] = lambda _heard: None,
    keeper: SpeakingKeeper | None = None,
    publisher: Path | None = None,
) -> Publishing:
    """The way out: the outbox's writer here, its reader in a process of its own.

    Parameters
    ----------
    tell : makes the event that tells of a loss
    describe : says which promise is in force
    hear : takes what came in and is not for the publisher
    publisher : the socket of one that runs by itself; None = one is started
    """
    volatile = volatile_path(outbox)
    keeper = keeper or SpeakingKeeper(outbox, volatile_path=volatile, policy=outbox_policy(config), clock=clock)
    outlet = Publishing(
        _publisher(config, outbox, volatile, clock, publisher),
        OutboxWriter(keeper, tell, clock=clock),
        guarantee=Delivery.ACKNOWLEDGED if config.outbox.consumer is None else Delivery.CONFIRMED,
        describe=describe,
        hear=hear,
        clock=clock,
    )
    keeper.on_commit = outlet.committed
    return outlet


def _publisher(config: Config, outbox: Path, volatile: Path | None, clock: Clock, socket: Path | None) -> Child:
    if socket is None:
        return own_publisher(publisher_setup(config, outbox=outbox, volatile=volatile), clock)
    return other_publisher(detector_setup(config, outbox=outbox, volatile=volatile), clock, socket=socket)


def _pipeline(name: str, config: Config, wanted: Wanted, shared: Shared, witness: Witness | None) -> Pipeline:
    camera = config.cameras[name]
    rules = make_rules(camera, wanted, shared.model, zone=time_zone(config), ledger=ledger_of(config, name))
    return make_pipeline(name, camera, wanted=wanted, rules=rules, shared=shared, witness=witness)


def _info(config: Config, brains: Brains, topics: Topics, delivery: Delivery, settings: Settings) -> Message:
    ready = brains.said
    publishing = tuple(name for name, camera in config.cameras.items() if camera.publish_detections)
    info = DeviceInfo(
        edge=__version__,
        python=platform.python_version(),
        runtime=None if ready is None else ready.runtime,
        model=None if ready is None else ModelRef(ready.model, ready.sha256),
        backend="cpu" if ready is None else ready.backend,
        cameras=tuple(config.cameras),
        delivery=delivery,
        privacy=Privacy(detections=publishing, snapshots=publishing_cameras(config)),
        settings=settings,
    )
    return info_message(topics, info)

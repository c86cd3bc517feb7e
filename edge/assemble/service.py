"""A configuration to a running service: every part named, none of them running yet."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge import __version__
from edge.assemble.broker import detector_setup, publisher_setup
from edge.assemble.commands import Adjustable, Settings, camera_settings, make_desk, open_overrides
from edge.assemble.detector import open_detector
from edge.assemble.home_assistant import make_announcer
from edge.assemble.looks import make_looks, start_by_camera
from edge.assemble.model import resolve_model
from edge.assemble.outbox import SpeakingKeeper, outbox_path, outbox_policy, teller, volatile_path
from edge.assemble.pipeline import Shared, make_pipeline
from edge.assemble.rules import ledger_of, make_rules, make_wanted, time_zone
from edge.assemble.safe_mode import Start
from edge.assemble.source import make_source, parse_camera_source
from edge.assemble.threads import choose_threads, has_spare_core
from edge.config.values import Config
from edge.core.errors import ConfigError
from edge.core.model import Model
from edge.core.protocols import Clock
from edge.core.values import Frame, Message
from edge.infer.runtime import load_runtime
from edge.report.listening import Heard, Inbox
from edge.report.outbox.values import Loss, Outgoing
from edge.report.outbox.writer import OutboxWriter
from edge.report.states import Delivery, DeviceInfo, Privacy, info_message
from edge.report.topics import Topics
from edge.service.ahead import Ahead
from edge.service.arrivals import Arrivals
from edge.service.camera import CameraWorker
from edge.service.child import Child
from edge.service.commands.overrides import Overrides
from edge.service.crash_loop import GoodRun
from edge.service.health import camera_status, health_report
from edge.service.identity import Identities, new_epoch
from edge.service.pipeline import Pipeline
from edge.service.publishing import Publishing, other_publisher, own_publisher
from edge.service.runner import Errand, Reports, Service
from edge.service.systemd import Notifier
from edge.track.wanted import Wanted, lowest_score


@dataclass(frozen=True, slots=True)
class Assembly:
    """The service, and what its caller needs besides.

    summary : one line that says what runs where
    """

    service: Service
    outlet: Publishing
    outbox: Path
    summary: str


def assemble_service(start: Start, clock: Clock, *, publisher: Path | None = None) -> Assembly:
    """Build everything; raises what a person has to mend before anything starts.

    publisher : the socket of a publisher that runs by itself; None = the service starts one

    Raises
    ------
    ConfigError, ModelError, MissingLibraryError
    """
    config = start.config
    _check_sources(config)
    model = start.model or resolve_model(config)
    wanted = {name: make_wanted(name, camera, model) for name, camera in config.cameras.items()}
    overrides = open_overrides(config, wanted)
    threads = choose_threads(config.threads)
    detector = open_detector(
        model,
        accelerator=config.accelerator,
        threads=threads,
        threshold=lowest_score(wanted.values()),
        boxes=config.boxes,
        clock=clock,
    )
    detector.warm_up()
    topics = Topics(config.device)
    inbox = Inbox()
    identities = Identities(config.device, new_epoch(clock))
    outbox = outbox_path(config)

    def tell_info(delivery: Delivery) -> Message:
        return _info(config, model, topics, delivery, camera_settings(config, model, wanted, overrides))

    outlet = make_outlet(
        config,
        outbox,
        tell=teller(topics, identities, clock, cameras=tuple(config.cameras), backend=model.layout.backend),
        describe=tell_info,
        hear=inbox.put,
        clock=clock,
        publisher=publisher,
    )
    looks = make_looks(config, detector)
    pipelines = {
        name: _pipeline(name, config, wanted[name], Shared(model, looks[name], topics, identities, clock))
        for name in config.cameras
    }
    names = tuple(config.cameras)
    arrivals = Arrivals(names)
    overlap = has_spare_core(threads)
    workers = _workers(config, overrides, arrivals=arrivals, clock=clock, ready=detector.shrink if overlap else None)
    announcer = make_announcer(config, model, topics, clock=clock, is_settled=outlet.is_settled)
    errands: list[Errand] = [GoodRun(lambda: start.ran_well(model), clock)]
    errands += [] if announcer is None else [announcer]
    if config.commands.enabled:
        parts = Adjustable(model, detector, wanted, pipelines, workers)
        errands += [
            make_desk(config, parts, overrides, inbox=inbox, topics=topics, clock=clock, tell_info=outlet.describe)
        ]
    service = Service(
        workers=workers,
        pipelines=pipelines,
        arrivals=Ahead(arrivals, start_by_camera(looks)) if overlap else arrivals,
        outlet=outlet,
        reports=Reports(
            camera=camera_status(topics),
            health=health_report(topics, names, clock, folder=config.folder, standing=start.reasons),
            interval_s=config.health.interval_seconds,
        ),
        notifier=Notifier(note=start.note),
        clock=clock,
        errands=errands,
    )
    return Assembly(service, outlet, outbox, _summary(config, model, threads, outbox))


def _summary(config: Config, model: Model, threads: int, outbox: Path) -> str:
    runtime, names = load_runtime(), tuple(config.cameras)
    return (
        f"edge {__version__}: device {config.device}, {len(names)} camera(s) {', '.join(names)}; model {model.name} on "
        f"{model.layout.backend} ({runtime.name} {runtime.version}, {threads} threads); "
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


def _check_sources(config: Config) -> None:
    for name, camera in config.cameras.items():
        try:
            parse_camera_source(camera, config.folder)
        except ConfigError as error:
            raise ConfigError(f"{config.origin.file}: cameras.{name}: {error}") from error


def _pipeline(name: str, config: Config, wanted: Wanted, shared: Shared) -> Pipeline:
    camera = config.cameras[name]
    rules = make_rules(camera, wanted, shared.model, zone=time_zone(config), ledger=ledger_of(config, name))
    return make_pipeline(name, camera, wanted=wanted, rules=rules, shared=shared)


def _workers(
    config: Config,
    overrides: Overrides,
    *,
    arrivals: Arrivals,
    clock: Clock,
    ready: Callable[[Frame], Frame] | None,
) -> list[CameraWorker]:
    """``ready`` : what the capture threads do to each frame, where a core is free for it."""
    return [
        _worker(
            name,
            config,
            arrivals=arrivals,
            clock=clock,
            ready=ready,
            is_enabled=overrides.of(name).enabled is not False,
        )
        for name in config.cameras
    ]


def _worker(
    name: str,
    config: Config,
    *,
    arrivals: Arrivals,
    clock: Clock,
    ready: Callable[[Frame], Frame] | None,
    is_enabled: bool,
) -> CameraWorker:
    camera = config.cameras[name]
    source = make_source(name, camera, config.folder, clock)
    is_whole = camera.pace == "fast" and not parse_camera_source(camera, config.folder).is_live
    put = arrivals.put_and_wait if is_whole else arrivals.put
    prepared = put if ready is None else lambda frame: put(ready(frame))
    return CameraWorker(name, source, put=prepared, tell=arrivals.tell, is_enabled=is_enabled)


def _info(config: Config, model: Model, topics: Topics, delivery: Delivery, settings: Settings) -> Message:
    runtime = load_runtime()
    publishing = tuple(name for name, camera in config.cameras.items() if camera.publish_detections)
    info = DeviceInfo(
        edge=__version__,
        python=platform.python_version(),
        runtime=f"{runtime.name} {runtime.version}",
        model=model.ref,
        backend=model.layout.backend,
        cameras=tuple(config.cameras),
        delivery=delivery,
        privacy=Privacy(detections=publishing),
        settings=settings,
    )
    return info_message(topics, info)

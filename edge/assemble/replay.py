"""A configuration and a recording to a replay: the same parts as the service's, on a clock moved by hand."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from edge.assemble.detector import open_detector
from edge.assemble.kernels import Computing, Kernels, open_computing
from edge.assemble.looks import make_look
from edge.assemble.model import find, resolve_model, version_for_cpu
from edge.assemble.pipeline import Shared, make_pipeline
from edge.assemble.rules import make_rules, make_wanted, time_zone
from edge.assemble.source import make_source
from edge.assemble.stock import model_in_force
from edge.assemble.threads import choose_threads
from edge.capture.exact_video import INSTALL, exact_decoder, open_exact
from edge.capture.glancing import Glancer
from edge.capture.spec import SourceKind, SourceSpec, parse_source
from edge.config.values import Camera, Config
from edge.core.clock import HandClock
from edge.core.errors import ConfigError, MissingLibraryError, UsageError
from edge.core.model import Model
from edge.core.values import Frame, Message, Sighting
from edge.report.topics import Topics
from edge.service.gated import GatedLook
from edge.service.identity import Identities, replay_epoch
from edge.service.replay import Replay
from edge.track.wanted import lowest_score

# Nothing in an event may depend on when or where it was replayed, unless somebody asks for it.
DEVICE = "replay"
CAMERA = "clip"
START = datetime(2026, 1, 1)  # noqa: DTZ001 - at the place of the configuration


class VideoDecoder(StrEnum):
    """What turns a video into pictures: the same on every processor, or what the service uses."""

    EXACT = "exact"
    OPENCV = "opencv"


@dataclass(frozen=True, slots=True)
class ReplayAssembly:
    """What is replayed, and by what.

    camera : whose settings are used
    has_schedules : whether a rule's hours matter
    decoder : None = no video
    """

    replay: Replay
    topics: Topics
    camera: str
    has_schedules: bool
    decoder: VideoDecoder | None
    computing: Computing

    def events(self) -> Iterator[Message]:
        """The events alone, without the state that goes with them."""
        topic = self.topics.event(self.camera)
        return (message for message in self.replay.messages() if message.topic == topic)


def check_clip(clip: str) -> SourceSpec:
    """A recording that comes to an end; relative paths count from here. Raises UsageError."""
    try:
        spec = parse_source(clip, base=Path.cwd())
    except ConfigError as error:
        raise UsageError(str(error)) from error
    if spec.is_live:
        raise UsageError(f"{spec.redacted()}: expected a recording, found a live source; `edge run` watches those")
    if spec.scene is not None and spec.scene.seconds is None:
        raise UsageError("synthetic: expected a scene that ends; write synthetic:?seconds=10")
    if spec.kind is not SourceKind.SYNTHETIC and not Path(spec.target).exists():
        raise UsageError(f"{clip}: expected a video, a picture or a folder of pictures, found nothing there")
    return spec


def default_config(clip: str) -> Config:
    """For who has no configuration yet."""
    return Config(device=DEVICE, cameras={CAMERA: Camera(source=clip)})


def choose_decoder(asked: VideoDecoder | None) -> VideoDecoder:
    """The exact one where it is installed, unless another is asked for; raises MissingLibraryError."""
    if asked is VideoDecoder.OPENCV:
        return asked
    if exact_decoder() is not None:
        return VideoDecoder.EXACT
    if asked is VideoDecoder.EXACT:
        raise MissingLibraryError(f"--decoder exact: expected the library PyAV, found none; {INSTALL}")
    return VideoDecoder.OPENCV


def assemble_replay(
    config: Config,
    camera: str | None,
    clip: str,
    start: datetime | None = None,
    *,
    decoder: VideoDecoder | None = None,
    kernels: Kernels | None = None,
) -> ReplayAssembly:
    """Build everything; raises what a person has to mend before anything starts.

    Parameters
    ----------
    camera : whose settings to use; None = the first
    clip : a video, a picture, a folder of pictures, or ``synthetic:?seconds=...``
    start : when the recording began; without a zone it is the configuration's. None = at the start of 2026
    decoder : see ``choose_decoder``; pictures and scenes need none
    kernels : see ``open_computing``

    Raises
    ------
    UsageError, ConfigError, ModelError, MissingLibraryError
    """
    spec = check_clip(clip)
    chosen = choose_decoder(decoder) if spec.kind is SourceKind.VIDEO else None
    name = _chosen(config, camera)
    settings = _with_clip(config.cameras[name], spec)
    model = _model(config, kernels)
    wanted = make_wanted(name, settings, model)
    zone = time_zone(config) or UTC
    start = start or START
    utc = (start if start.tzinfo else start.replace(tzinfo=zone)).astimezone(UTC)
    clock = HandClock(utc=utc, synced=False)
    opened = partial(
        open_detector,
        model,
        accelerator=config.accelerator if model.layout.backend == "edgetpu" else "cpu",
        threads=choose_threads(config.threads),
        threshold=lowest_score([wanted]),
        boxes=config.boxes,
        clock=clock,
    )
    computing = open_computing(model, kernels, lambda runtime: opened(runtime=runtime))
    see = _glancing(make_look(computing.detector, settings.tiles, regions=settings.regions.runs).see, settings)
    topics = Topics(config.device if "device" in config.origin.lines else DEVICE, model.labels)
    identities = Identities(topics.device, replay_epoch(clock, _digest(spec)))
    rules = make_rules(settings, wanted, model, zone=zone, ledger=None)
    pipeline = make_pipeline(
        name, settings, wanted=wanted, rules=rules, shared=Shared(model, topics, identities, clock)
    )
    open_video = open_exact if chosen is VideoDecoder.EXACT else None
    source = make_source(name, settings, config.folder, clock, open_video=open_video)
    has_schedules = any(rule.schedule is not None for rule in settings.rules.values())
    return ReplayAssembly(Replay(source, see, pipeline, clock), topics, name, has_schedules, chosen, computing)


def _model(config: Config, kernels: Kernels | None) -> Model:
    """The model in force; unless the service's kernels are asked for, its version for the CPU where that is at hand."""
    asked = model_in_force(config)
    if kernels is Kernels.FAST:
        return resolve_model(config, asked)
    return version_for_cpu(find(asked or config.model), find)


def _glancing(see: Callable[[Frame], Sighting], camera: Camera) -> Callable[[Frame], Sighting]:
    """Through the camera's motion gate, if it has one; and where something moves, if anybody has to know."""
    if not (camera.motion_gate.enabled or camera.regions.enabled):
        return see
    glancer = Glancer(
        camera.ignore, keepalive_s=camera.motion_gate.keepalive_seconds, finds_places=camera.regions.enabled
    )
    look = GatedLook(
        see, lambda frame: glancer.look(frame.image, frame.captured_ns), has_gate=camera.motion_gate.enabled
    )
    return look.see


def _chosen(config: Config, camera: str | None) -> str:
    if camera is None:
        return next(iter(config.cameras))
    if camera not in config.cameras:
        known = ", ".join(config.cameras)
        raise UsageError(
            f"--camera {camera}: the configuration {config.origin.file} has no such camera; it has {known}"
        )
    return camera


def _with_clip(camera: Camera, spec: SourceSpec) -> Camera:
    """The camera's settings, looking at the recording: once, every frame, as fast as it goes."""
    prefix = "synthetic:" if spec.kind is SourceKind.SYNTHETIC else ""
    return replace(camera, source=prefix + spec.target, loop=False, pace="fast", username=None, password=None)


def _digest(spec: SourceSpec) -> bytes:
    """Of the recording's content; of a folder, of its pictures' names and sizes."""
    digest = hashlib.sha256(spec.kind.encode())
    path = Path(spec.target)
    if spec.kind is SourceKind.SYNTHETIC:
        digest.update(spec.target.encode())
    elif path.is_dir():
        for each in sorted(path.iterdir()):
            digest.update(f"{each.name} {each.stat().st_size}\n".encode())
    else:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.digest()

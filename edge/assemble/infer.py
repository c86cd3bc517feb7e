"""The model's process: from the service's first word to answers. It knows no camera but by name, and no network."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from edge.assemble.beginning import hear_first_word
from edge.assemble.detector import change_threshold, open_detector
from edge.assemble.exercise import exercise
from edge.assemble.looks import make_look
from edge.assemble.orders import InferOrder, decode_order
from edge.assemble.self_test import make_self_test
from edge.core.clock import SystemClock
from edge.core.errors import EdgeError, MissingLibraryError
from edge.core.model import Model
from edge.infer.album import Album
from edge.infer.detector import Detector
from edge.infer.runtime import load_runtime
from edge.service import infer_letters as letters
from edge.service.channel import Channel
from edge.service.infer_letters import Begin, Cannot, Ready
from edge.service.inferring import Inferring
from edge.service.inside import Post, leave_at_once, settle
from edge.service.shared_frames import SharedFrames
from edge.service.trouble import trouble_of


def main(channel: Channel) -> None:
    """Live as long as the service wants; ends the process."""
    with suppress(MissingLibraryError):  # told with the first word's answer, where it is still missing then
        load_runtime()  # while the service reads its configuration
    clock, begin = SystemClock(), hear_first_word(channel, letters.read_by_infer, Begin)
    order = decode_order(begin.setup, InferOrder)
    post = Post(channel, letters.encode)
    try:
        detector = _open(order.model, order, order.accelerator, clock)
        began_ns = clock.monotonic_ns()
        detector.warm_up()
        run_ms = (clock.monotonic_ns() - began_ns) / 1e6
    except EdgeError as error:
        post.send(Cannot(trouble_of(error)))
        post.finish(clock)
        leave_at_once(error.exit_code)
    inferring = Inferring(
        channel,
        {
            camera: make_look(detector, tiles, regions=order.regions.get(camera, 0))
            for camera, tiles in order.tiles.items()
        },
        {camera: SharedFrames(channel.descriptors[place]) for camera, place in begin.frames.items()},
        tune=lambda threshold: change_threshold(detector, threshold),
        test=make_self_test(detector, _twin_opener(order, clock), clock),
        exercise=lambda seconds: exercise(detector, seconds, clock),
        rejected=lambda: detector.rejected,
        is_ahead=order.is_ahead,
        clock=clock,
        album=Album(order.redact) if order.redact else None,
    )
    detector.before_run = inferring.listen_meanwhile
    post.send(_ready(detector, run_ms))
    settle()
    inferring.live()


def _twin_opener(order: InferOrder, clock: SystemClock) -> Callable[[], Detector] | None:
    twin = order.twin
    return None if twin is None else lambda: _open(twin, order, "cpu", clock)


def _open(model: Model, order: InferOrder, accelerator: str, clock: SystemClock) -> Detector:
    return open_detector(
        model,
        accelerator=accelerator,
        threads=order.threads,
        threshold=order.threshold,
        boxes=order.boxes,
        clock=clock,
    )


def _ready(detector: Detector, run_ms: float) -> Ready:
    model, runtime = detector.model, load_runtime()
    return Ready(model.name, model.sha256, model.layout.backend, f"{runtime.name} {runtime.version}", run_ms)

"""One camera's pipeline, as the service and a replay both run it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edge.assemble.rules import make_attention
from edge.config.values import Camera
from edge.core.model import Model
from edge.core.protocols import Clock
from edge.core.values import FrameSize, Message, Sighting
from edge.report.payloads import detections_message, event_message, standing_message
from edge.report.topics import Topics
from edge.service.identity import Identities, frame_time
from edge.service.pipeline import Pipeline, Telling, Witness
from edge.track.rulebook import RuleBook
from edge.track.settings import TrackerSettings
from edge.track.tracker import Tracker
from edge.track.wanted import Wanted


@dataclass(frozen=True, slots=True)
class Shared:
    """What the pipelines of all cameras share."""

    model: Model
    topics: Topics
    identities: Identities
    clock: Clock


def make_pipeline(
    name: str, camera: Camera, *, wanted: Wanted, rules: RuleBook, shared: Shared, witness: Witness | None = None
) -> Pipeline:
    """From what was seen to messages, for one camera."""
    model = shared.model
    return Pipeline(
        camera=name,
        wanted=make_attention(camera, wanted, model),
        tracker=Tracker(TrackerSettings(labels=model.labels, start_scores=wanted.start_scores)),
        rules=rules,
        telling=make_telling(name, camera, shared),
        identities=shared.identities,
        clock=shared.clock,
        **({} if witness is None else {"witness": witness}),
    )


def make_telling(name: str, camera: Camera, shared: Shared) -> Telling:
    """How what was found at a camera becomes messages."""
    topics = shared.topics
    return Telling(
        event=lambda event: event_message(event, topics),
        standing=lambda standing: standing_message(standing, topics, name),
        detections=_tell_detections(shared) if camera.publish_detections else None,
    )


def _tell_detections(shared: Shared) -> Callable[[Sighting], Message]:
    labels = shared.model.labels

    def tell(seen: Sighting) -> Message:
        frame = seen.frame
        return detections_message(
            shared.topics,
            frame.camera,
            detections=seen.detections,
            labels=labels,
            frame=FrameSize(frame.sequence, frame.width, frame.height),
            time=frame_time(frame, shared.clock),
            model=seen.model,
            backend=seen.backend,
            latency=seen.times,
        )

    return tell

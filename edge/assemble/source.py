"""A camera's configuration to a FrameSource: the one table of what can stand behind ``source:``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edge.assemble.orders import SourceOrder
from edge.capture.looped import LoopedSource
from edge.capture.mishaps import Mishaps
from edge.capture.paced import PacedSource
from edge.capture.scene import SceneOptions
from edge.capture.settings import SourceSettings
from edge.capture.spec import SourceKind, SourceSpec, parse_source
from edge.capture.stepped import SteppedSource
from edge.capture.throttled import ThrottledSource
from edge.core.errors import ConfigError
from edge.core.looking import why_missing
from edge.core.protocols import Clock, FrameSource

if TYPE_CHECKING:
    from edge.capture.opencv_stream import CaptureOpener
    from edge.config.values import Camera  # a camera's process does without the configuration


def order_source(name: str, camera: Camera, folder: Path) -> SourceOrder:
    """The source that a camera's configuration describes, with its login; raises ConfigError."""
    from edge.config.secret_files import login_source

    return SourceOrder(
        name,
        login_source(camera, f"cameras.{name}"),
        str(folder),
        camera.size,
        camera.fps,
        camera.rotate,
        loop=camera.loop,
        is_paced=camera.pace == "real",
        redact=tuple(tuple(polygon) for polygon in camera.redact),
    )


def parse_camera_source(camera: Camera, folder: Path) -> SourceSpec:
    """What the camera's ``source`` means; recordings that are not there are refused here."""
    spec = parse_source(camera.source, base=folder)
    missing = why_missing(Path(spec.target)) if spec.kind in (SourceKind.VIDEO, SourceKind.PICTURES) else None
    if missing is not None:
        raise ConfigError(f"source {camera.source}: expected a file or folder, found {missing}: {spec.target}")
    return spec


def make_source(
    name: str, camera: Camera, folder: Path, clock: Clock, *, open_video: CaptureOpener | None = None
) -> FrameSource:
    """The source a camera's configuration describes, repeated, thinned, turned and paced as it says.

    open_video : what decodes a video file; None = OpenCV
    """
    parse_camera_source(camera, folder)
    return build_source(order_source(name, camera, folder), clock, open_video=open_video)


def build_source(
    order: SourceOrder, clock: Clock, mishaps: Mishaps | None = None, *, open_video: CaptureOpener | None = None
) -> FrameSource:
    """As ``make_source``, from what ``order_source`` made of the configuration; ``mishaps`` : what it counts into."""
    spec = parse_source(order.source, base=Path(order.folder))
    settings = SourceSettings(order.camera, size=order.size, fps=order.fps, mishaps=mishaps or Mishaps())
    stepped = _plain_source(spec, settings, clock, open_video)
    if order.loop and not spec.is_live:
        stepped = LoopedSource(stepped, fps=order.fps)
    source: FrameSource = stepped
    if order.fps is not None and spec.kind in (SourceKind.STREAM, SourceKind.VIDEO):
        source = ThrottledSource(stepped, order.fps)
    if order.rotate:
        from edge.capture.oriented import OrientedSource

        source = OrientedSource(source, order.rotate)
    if order.redact:
        from edge.capture.blackened import BlackenedSource

        source = BlackenedSource(source, order.redact)
    if order.is_paced and not spec.is_live:
        source = PacedSource(source, clock)
    return source


def _plain_source(
    spec: SourceSpec, settings: SourceSettings, clock: Clock, open_video: CaptureOpener | None
) -> SteppedSource:
    # Each kind is imported when it is asked for: a camera's process loads what it needs alone.
    path = Path(spec.target)
    match spec.kind:
        case SourceKind.PICAMERA2:
            from edge.capture.picamera import PicameraSource

            return PicameraSource(int(spec.target), settings, clock)
        case SourceKind.V4L2:
            from edge.capture.v4l2 import V4l2Source

            return V4l2Source(path, settings, clock)
        case SourceKind.STREAM:
            from edge.capture.network_stream import NetworkStreamSource

            return NetworkStreamSource(spec.target, settings, clock)
        case SourceKind.VIDEO:
            from edge.capture.opencv_stream import open_capture
            from edge.capture.video_file import VideoFileSource

            return VideoFileSource(path, settings, clock, opener=open_video or open_capture)
        case SourceKind.PICTURES:
            from edge.capture.image_folder import ImageFolderSource

            return ImageFolderSource(path, settings, clock)
        case SourceKind.SYNTHETIC:
            from edge.capture.synthetic import SyntheticSource

            return SyntheticSource(spec.scene or SceneOptions(), settings, clock)

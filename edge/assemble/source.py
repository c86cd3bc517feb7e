"""A camera's configuration to a FrameSource: the one table of what can stand behind ``source:``."""

from __future__ import annotations

from pathlib import Path

from edge.capture.image_folder import ImageFolderSource
from edge.capture.looped import LoopedSource
from edge.capture.network_stream import NetworkStreamSource
from edge.capture.oriented import OrientedSource
from edge.capture.paced import PacedSource
from edge.capture.picamera import PicameraSource
from edge.capture.scene import SceneOptions
from edge.capture.settings import SourceSettings
from edge.capture.spec import SourceKind, SourceSpec, parse_source
from edge.capture.stepped import SteppedSource
from edge.capture.synthetic import SyntheticSource
from edge.capture.throttled import ThrottledSource
from edge.capture.v4l2 import V4l2Source
from edge.capture.video_file import VideoFileSource
from edge.config.secret_files import login_source
from edge.config.values import Camera
from edge.core.errors import ConfigError
from edge.core.looking import why_missing
from edge.core.protocols import Clock, FrameSource


def parse_camera_source(camera: Camera, folder: Path) -> SourceSpec:
    """What the camera's ``source`` means; recordings that are not there are refused here."""
    spec = parse_source(camera.source, base=folder)
    missing = why_missing(Path(spec.target)) if spec.kind in (SourceKind.VIDEO, SourceKind.PICTURES) else None
    if missing is not None:
        raise ConfigError(f"source {camera.source}: expected a file or folder, found {missing}: {spec.target}")
    return spec


def make_source(name: str, camera: Camera, folder: Path, clock: Clock) -> FrameSource:
    """The source a camera's configuration describes, repeated, thinned, turned and paced as it says."""
    spec = parse_camera_source(camera, folder)
    stepped = _plain_source(spec, name, camera, clock)
    if camera.loop and not spec.is_live:
        stepped = LoopedSource(stepped, fps=camera.fps)
    source: FrameSource = stepped
    if camera.fps is not None and spec.kind in (SourceKind.STREAM, SourceKind.VIDEO):
        source = ThrottledSource(stepped, camera.fps)
    if camera.rotate:
        source = OrientedSource(source, camera.rotate)
    if camera.pace == "real" and not spec.is_live:
        source = PacedSource(source, clock)
    return source


def _plain_source(spec: SourceSpec, name: str, camera: Camera, clock: Clock) -> SteppedSource:
    settings = SourceSettings(name, size=camera.size, fps=camera.fps)
    path = Path(spec.target)
    match spec.kind:
        case SourceKind.PICAMERA2:
            return PicameraSource(int(spec.target), settings, clock)
        case SourceKind.V4L2:
            return V4l2Source(path, settings, clock)
        case SourceKind.STREAM:
            return NetworkStreamSource(login_source(camera, f"cameras.{name}"), settings, clock)
        case SourceKind.VIDEO:
            return VideoFileSource(path, settings, clock)
        case SourceKind.PICTURES:
            return ImageFolderSource(path, settings, clock)
        case SourceKind.SYNTHETIC:
            return SyntheticSource(spec.scene or SceneOptions(), settings, clock)

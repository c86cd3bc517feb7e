"""A camera's configuration to a FrameSource: the one table of what can stand behind ``source:``."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from edge.capture.image_folder import ImageFolderSource
from edge.capture.network_stream import NetworkStreamSource
from edge.capture.oriented import Oriented
from edge.capture.paced import Paced
from edge.capture.picamera import PicameraSource
from edge.capture.repeated import Repeated
from edge.capture.settings import SourceSettings
from edge.capture.spec import SourceKind, SourceSpec, parse_source
from edge.capture.synthetic import SyntheticSource
from edge.capture.throttled import Throttled
from edge.capture.video_file import VideoFileSource
from edge.capture.v4l2 import V4l2Source
from edge.config.load import read_secret
from edge.config.values import Camera
from edge.core.errors import ConfigError
from edge.core.protocols import Clock, FrameSource


def parse_camera_source(camera: Camera, folder: Path) -> SourceSpec:
    """What the camera's ``source`` means; recordings that are not there are refused here."""
    spec = parse_source(camera.source, base=folder)
    if spec.kind in (SourceKind.VIDEO, SourceKind.PICTURES) and not Path(spec.target).exists():
        raise ConfigError(f"source {camera.source}: expected a file or folder, found nothing at {spec.target}")
    return spec


def make_source(name: str, camera: Camera, folder: Path, clock: Clock) -> FrameSource:
    """The source a camera's configuration describes, turned, paced and repeated as it says."""
    spec = parse_camera_source(camera, folder)
    settings = SourceSettings(name, size=camera.size, fps=camera.fps)
    source = _plain_source(spec, camera, settings, clock)
    if camera.rotate:
        source = Oriented(source, camera.rotate)
    if not spec.is_live and camera.loop:
        source = Repeated(source)
    if camera.fps is not None and spec.kind in (SourceKind.STREAM, SourceKind.VIDEO):
        source = Throttled(source, camera.fps)
    if not spec.is_live and camera.pace == "real":
        source = Paced(source, clock)
    return source


def _plain_source(spec: SourceSpec, camera: Camera, settings: SourceSettings, clock: Clock) -> FrameSource:
    path = Path(spec.target)
    match spec.kind:
        case SourceKind.PICAMERA2:
            return PicameraSource(int(spec.target), settings, clock)
        case SourceKind.V4L2:
            return V4l2Source(path, settings, clock)
        case SourceKind.STREAM:
            return NetworkStreamSource(_with_login(spec.target, camera), settings, clock)
        case SourceKind.VIDEO:
            return VideoFileSource(path, settings, clock)
        case SourceKind.PICTURES:
            return ImageFolderSource(path, settings, clock)
        case SourceKind.SYNTHETIC:
            return SyntheticSource(spec.scene, settings, clock)


def _with_login(url: str, camera: Camera) -> str:
    """The stream's URL with the login that the configuration keeps apart from it."""
    if camera.username is None:
        return url
    login = quote(camera.username, safe="")
    if camera.password is not None:
        login += ":" + quote(read_secret(camera.password), safe="")
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{login}@{parts.netloc.rpartition('@')[2]}"))

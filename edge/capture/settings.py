"""What every source is told, whatever stands behind it."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge.capture.mishaps import Mishaps
from edge.core.errors import ConfigError

# Live cameras and made-up recordings (pictures, synthetic:) run at this rate unless told otherwise.
DEFAULT_FPS = 10.0
# Above 100 megapixels a "picture" is a mistake or an attack: RGB alone would take 300 MB.
MAX_PIXELS = 100_000_000


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """How one camera wants its frames.

    camera : the name that every frame carries
    size : (width, height). A camera is asked for it; recordings and streams are scaled to fit inside it,
        keeping their aspect. None = the source's own size
    fps : frames per second: asked of a camera, and the pace of sources that have none of their own
    lores_size : picamera2 only: (width, height) of a second, small stream that the frames are then made from
    open_timeout_s : how long a camera or stream may take to appear
    read_timeout_s : how long a frame may take before the source counts as lost; of a stream, at most
    mishaps : where the source counts what goes wrong with single frames
    """

    camera: str
    size: tuple[int, int] | None = None
    fps: float | None = None
    lores_size: tuple[int, int] | None = None
    open_timeout_s: float = 10.0
    read_timeout_s: float = 5.0
    mishaps: Mishaps = field(default_factory=Mishaps, compare=False)

    def __post_init__(self) -> None:
        for key, size in (("size", self.size), ("lores_size", self.lores_size)):
            if size is not None and not (min(size) > 0 and size[0] * size[1] <= MAX_PIXELS):
                raise ConfigError(
                    f"camera {self.camera!r}: {key} must be [width, height], both above 0 and at most "
                    f"{MAX_PIXELS // 1_000_000} megapixels together, found {list(size)}"
                )
        for key, value in (
            ("fps", self.fps),
            ("open_timeout_s", self.open_timeout_s),
            ("read_timeout_s", self.read_timeout_s),
        ):
            if value is not None and not 0 < value < 100_000:
                raise ConfigError(f"camera {self.camera!r}: {key} must be above 0, found {value}")

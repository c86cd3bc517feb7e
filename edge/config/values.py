"""The configuration's values: one Struct per section, one field per key, exactly as in docs/configuration.md.

What may stand behind a key is written in its type; what belongs together is checked in ``cross_checks``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from edge.config import texts
from edge.config.kinds import Number, Text, Threads
from edge.config.schedule import Schedule, parse_schedule
from edge.core.names import NAME_RULE, label_slug

Name = Annotated[str, Text(f"a name of {NAME_RULE}", texts.parse_name)]
Label = Annotated[str, Text("a label of the model", texts.parse_label)]
File = Annotated[Path, Text("the path of a file", texts.parse_path)]
Login = Annotated[str, Text("a user name", texts.parse_line_of_text)]
Zone = Annotated[str, Text("a time zone such as Europe/Berlin", texts.parse_zone)]
Score = Annotated[float, Number("a score from 0 to 1", least=0, most=1, unit="part")]
Area = Annotated[float, Number("a part of the picture from 0 to 1", least=0, most=1, unit="part")]
Coordinate = Annotated[float, Number("a part of the picture from 0 to 1", least=0, most=1, unit="picture")]
Pixels = Annotated[int, Number("a whole number of pixels from 16 to 8192", 16, 8192, whole=True, unit="pixels")]
Seconds = Annotated[float, Number("a number of seconds from 0 to 604800 (a week)", 0, 604800, unit="seconds")]
Point = tuple[Coordinate, Coordinate]
Polygon = tuple[Point, ...]


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What all sections have in common."""


class SecretRef(_Section, frozen=True, kw_only=True):
    """Where a secret lies; exactly one of the two is set. The secret itself is read when it is needed.

    credential : a name that systemd hands over (LoadCredential=), in $CREDENTIALS_DIRECTORY
    file : a file that only its owner may read
    """

    credential: Annotated[str, Text("the name of a credential", texts.parse_line_of_text)] | None = None
    file: File | None = None


class Tls(_Section, frozen=True, kw_only=True):
    """TLS to the broker. Without ``ca`` the system's certificate authorities are trusted."""

    ca: File | None = None
    certificate: File | None = None
    key: Path | SecretRef | None = None


class Broker(_Section, frozen=True, kw_only=True):
    """The MQTT broker. Port 8883 if ``tls`` is given and no port, see ``load``."""

    host: Annotated[str, Text("a host name or address", texts.parse_host)] = "localhost"
    port: Annotated[int, Number("a port from 1 to 65535", least=1, most=65535, whole=True)] = 1883
    tls: Tls | None = None
    username: Login | None = None
    password: SecretRef | None = None
    keepalive_seconds: Annotated[
        int, Number("a whole number of seconds from 5 to 65535", 5, 65535, whole=True, unit="seconds")
    ] = 30


class Snapshots(_Section, frozen=True, kw_only=True):
    """Pictures to the broker; off unless asked for."""

    enabled: bool = False
    redact: tuple[Label, ...] = ("person",)
    retain_hours: Annotated[float, Number("a number of hours from 0 to 8760 (a year)", 0, 8760, unit="hours")] = 24.0


class MotionGate(_Section, frozen=True, kw_only=True):
    """Spares inference while nothing moves."""

    enabled: bool = False
    keepalive_seconds: Annotated[float, Number("a number of seconds from 0.1 to 3600", 0.1, 3600, unit="seconds")] = 2.0


class Regions(_Section, frozen=True, kw_only=True):
    """A closer look at where something moves.

    most : regions of a frame, each a run of the model; ``max`` in the file
    """

    enabled: bool = False
    most: Annotated[int, Number("a whole number from 1 to 8", least=1, most=8, whole=True)] = msgspec.field(
        name="max", default=2
    )

    @property
    def runs(self) -> int:
        """Of the model per frame, beside the whole picture, at most."""
        return self.most if self.enabled else 0


class PictureCheck(_Section, frozen=True, kw_only=True):
    """What in a camera's pictures is taken for a fault. ``None`` leaves it to the kind of source.

    frozen_seconds : how long the very same picture may come; 0 = for ever
    """

    lens: bool | None = None
    frozen_seconds: Seconds | None = None


class Line(_Section, frozen=True, kw_only=True):
    """A directed line; ``from`` and ``to`` in the file."""

    start: Point = msgspec.field(name="from")
    end: Point = msgspec.field(name="to")


class Sizes(_Section, frozen=True, kw_only=True):
    """The least and the greatest area of a box, as parts of the picture."""

    min_area: Area = 0.0
    max_area: Area = 1.0


class Rule(_Section, frozen=True, kw_only=True):
    """When an event becomes an alert."""

    when: Literal["appear", "leave", "enter", "exit", "dwell", "count", "absence", "cross"]
    label: Label | None = None
    zone: Name | None = None
    line: Name | None = None
    direction: Literal["in", "out"] | None = None
    seconds: Seconds | None = None
    count: Annotated[int, Number("a whole number from 1 to 1000", least=1, most=1000, whole=True)] | None = None
    severity: Literal["detection", "alert"] = "alert"
    cooldown_seconds: Seconds = 0.0
    schedule: Annotated[Schedule, Text("times of day", parse_schedule)] | None = None


class Camera(_Section, frozen=True, kw_only=True):
    """One camera, stream or recording. ``None`` leaves it to the source or the model.

    size : (width, height) asked of the source
    username, password : for a stream that wants a login; they never stand in ``source``
    thresholds, sizes : label -> score, areas; "default" stands for all others
    labels : what is let through; None is everything the model knows
    tiles : the model looks at the whole picture and at so many columns x rows of overlapping parts; 1x1 = the whole
    regions : the model looks at the whole picture and closer at where something moves
    anchor : which point of a box says where a thing stands
    ignore, redact : polygons where nothing is detected, and that are blackened in every picture
    """

    source: Annotated[
        str,
        Text(
            "picamera2:N, /dev/videoN, rtsp://..., a video file, a folder of pictures or synthetic:",
            texts.parse_source,
        ),
    ]
    username: Login | None = None
    password: SecretRef | None = None
    size: tuple[Pixels, Pixels] | None = None
    fps: (
        Annotated[
            float,
            Number("a number of frames per second above 0, up to 240", above=0, most=240, unit="frames per second"),
        ]
        | None
    ) = None
    rotate: Literal[0, 90, 180, 270] = 0
    loop: bool = False
    pace: Literal["real", "fast"] = "real"
    thresholds: dict[Label, Score] = {}
    sizes: dict[Label, Sizes] = {}
    labels: tuple[Label, ...] | None = None
    publish_detections: bool = False
    tiles: Annotated[str, Text("columns x rows such as 2x2, up to 8x8", texts.parse_tiles)] = "1x1"
    regions: Regions = Regions()
    snapshots: Snapshots = Snapshots()
    motion_gate: MotionGate = MotionGate()
    picture_check: PictureCheck = PictureCheck()
    anchor: Literal["bottom", "centre"] = "bottom"
    zones: dict[Name, Polygon] = {}
    ignore: tuple[Polygon, ...] = ()
    redact: tuple[Polygon, ...] = ()
    lines: dict[Name, Line] = {}
    rules: dict[Name, Rule] = {}

    def threshold_for(self, label: str) -> float | None:
        """The score from which a detection counts; None leaves it to the model."""
        return self.thresholds.get(label, self.thresholds.get("default"))


class HomeAssistant(_Section, frozen=True, kw_only=True):
    """Discovery messages for Home Assistant."""

    enabled: bool = False
    prefix: Annotated[str, Text("topic levels such as homeassistant", texts.parse_prefix)] = "homeassistant"


class Commands(_Section, frozen=True, kw_only=True):
    """What may be asked of the device over MQTT."""

    enabled: bool = False
    per_minute: Annotated[float, Number("a number of commands from 1 to 600", least=1, most=600)] = 30.0


class Governor(_Section, frozen=True, kw_only=True):
    """What is done without when the machine is hot or late, and what is promised all the same.

    smaller_model : what takes the model's place as the last step; "auto" = what the model's card names
    """

    enabled: bool = True
    smaller_model: Annotated[
        str, Text("auto, none, a model card's name or the path of a .tflite file", texts.parse_model)
    ] = "auto"
    min_fps: Annotated[float, Number("a number of frames per second above 0, up to 240", above=0, most=240)] | None = (
        None
    )
    alert_latency_p95_ms: (
        Annotated[float, Number("a number of milliseconds from 1 to 600000", 1, 600000, unit="milliseconds")] | None
    ) = None


class Health(_Section, frozen=True, kw_only=True):
    """How edge tells about itself."""

    interval_seconds: Annotated[float, Number("a number of seconds from 1 to 86400", 1, 86400, unit="seconds")] = 30.0
    prometheus: Annotated[str, Text("an address on this machine", texts.parse_local_address)] | None = None


class Outbox(_Section, frozen=True, kw_only=True):
    """Where events wait until a consumer has them."""

    path: File | None = None
    max_megabytes: Annotated[float, Number("a number of megabytes from 1 to 1000000", 1, 1e6, unit="megabytes")] = 64.0
    consumer: Name | None = None


class Origin(msgspec.Struct, frozen=True):
    """Where a configuration came from: the file, and the line of every key that stands in it."""

    file: Path = Path("edge.yaml")
    lines: Mapping[str, int] = {}


def host_name() -> str:
    """This machine's name, fit for a topic: "Gate-Cam.local" -> "gate-cam"."""
    return label_slug(os.uname().nodename.partition(".")[0])


class Config(_Section, frozen=True, kw_only=True):
    """The whole file. ``origin`` is no key of it."""

    device: Name = msgspec.field(default_factory=host_name)
    timezone: Zone | None = None
    broker: Broker = Broker()
    model: Annotated[str, Text("a model card's name or the path of a .tflite file", texts.parse_model)] = "edge-default"
    accelerator: Annotated[str, Text("auto, cpu, edgetpu, edgetpu:usb or edgetpu:pci", texts.parse_accelerator)] = (
        "auto"
    )
    boxes: Literal["graph", "raw"] = "graph"
    threads: Annotated[int | Literal["auto"], Threads()] = "auto"
    cameras: dict[Name, Camera] = {}
    home_assistant: HomeAssistant = HomeAssistant()
    commands: Commands = Commands()
    governor: Governor = Governor()
    health: Health = Health()
    outbox: Outbox = Outbox()
    origin: Origin = Origin()

    @property
    def folder(self) -> Path:
        """The folder of the file, from which its relative paths count; they are resolved when it is loaded."""
        return self.origin.file.parent

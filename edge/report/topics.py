"""Every topic of the contract (docs/messages.md), built from checked names."""

from __future__ import annotations

from collections.abc import Iterable

from edge.core.errors import ConfigError
from edge.core.names import NAME_RULE, is_name, label_slug, label_slugs

BASE = "edge"
HOME_ASSISTANT_PREFIX = "homeassistant"


class Topics:
    """The topics of one device.

    Parameters
    ----------
    device : its name; also the MQTT client id
    labels : the model's, so that two that would be written alike are told apart

    Raises
    ------
    ConfigError
        Here and in every method, when a name may not stand in a topic.
    """

    def __init__(self, device: str, labels: Iterable[str] = ()) -> None:
        self.device = _checked("device", device)
        self._base = f"{BASE}/{device}"
        self._labels = label_slugs(labels)

    def status(self) -> str:
        return f"{self._base}/status"

    def info(self) -> str:
        return f"{self._base}/info"

    def health(self) -> str:
        return f"{self._base}/health"

    def camera_status(self, camera: str) -> str:
        return f"{self._camera(camera)}/status"

    def event(self, camera: str) -> str:
        return f"{self._camera(camera)}/event"

    def detections(self, camera: str) -> str:
        return f"{self._camera(camera)}/detections"

    def count(self, camera: str, label: str) -> str:
        """How many of a label the camera sees; "traffic light" becomes ``traffic_light``."""
        return f"{self._camera(camera)}/count/{self.label(label)}"

    def zone_count(self, camera: str, zone: str, label: str) -> str:
        return f"{self._camera(camera)}/zone/{_checked('zone', zone)}/{self.label(label)}"

    def line(self, camera: str, line: str) -> str:
        return f"{self._camera(camera)}/line/{_checked('line', line)}"

    def snapshot(self, camera: str, label: str) -> str:
        return f"{self._camera(camera)}/snapshot/{self.label(label)}"

    def label(self, label: str) -> str:
        """A label as it stands in topics."""
        return self._labels.get(label) or label_slug(label)

    def cursor(self, consumer: str) -> str:
        """Written by the consumer: how far it has stored the events."""
        return f"{self._base}/cursor/{_checked('consumer', consumer)}"

    def command(self, name: str) -> str:
        return f"{self._base}/command/{_checked('command', name)}"

    def response(self, name: str) -> str:
        return f"{self._base}/response/{_checked('command', name)}"

    def command_base(self) -> str:
        """What every command's topic begins with."""
        return f"{self._base}/command/"

    def all_commands(self) -> str:
        """The filter the device subscribes to for commands."""
        return f"{self._base}/command/#"

    def all_cursors(self) -> str:
        """The filter the device subscribes to for its consumers' cursors."""
        return f"{self._base}/cursor/#"

    def discovery(self, prefix: str = HOME_ASSISTANT_PREFIX) -> str:
        """Home Assistant's device-based discovery message."""
        return f"{_checked('discovery prefix', prefix)}/device/{self.device}/config"

    def home_assistant_status(self, prefix: str = HOME_ASSISTANT_PREFIX) -> str:
        """Where Home Assistant says ``online`` when it starts."""
        return f"{_checked('discovery prefix', prefix)}/status"

    def birth_rank(self, topic: str) -> int:
        """Where a retained topic stands in the order of re-sending on every connect.

        0 status, 1 info, 2 discovery, 3 camera states, 4 counts and lines, 5 all else.
        """
        if topic == self.status():
            return 0
        if topic == self.info():
            return 1
        if not topic.startswith(f"{self._base}/"):
            return 2
        levels = topic.split("/")
        if levels[2] == "camera" and len(levels) > 4:
            return {"status": 3, "count": 4, "zone": 4, "line": 4}.get(levels[4], 5)
        return 5

    def _camera(self, camera: str) -> str:
        return f"{self._base}/camera/{_checked('camera', camera)}"


def _checked(kind: str, name: str) -> str:
    if not is_name(name):
        raise ConfigError(f"{kind} name {name!r:.80}: expected {NAME_RULE}; rename it in the configuration")
    return name

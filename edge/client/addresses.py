"""The topics a consumer listens and speaks to (docs/messages.md)."""

from __future__ import annotations

from edge.core.errors import ConfigError
from edge.core.names import NAME_RULE, is_name

REPLAY = "replay"


class Addresses:
    """The topics of one consumer.

    Parameters
    ----------
    device : the one to follow; None = all
    consumer : its name in ``cursor/<consumer>``; None = it leaves no trace

    Raises
    ------
    ConfigError
        When a name may not stand in a topic.
    """

    def __init__(self, device: str | None, consumer: str | None) -> None:
        for kind, name in (("device", device), ("consumer", consumer)):
            if name is not None and not is_name(name):
                raise ConfigError(f"{kind} name {name!r:.80}: expected {NAME_RULE}")
        self._device = device or "+"
        self._consumer = consumer

    def filters(self) -> list[str]:
        """What is subscribed to."""
        wanted = [f"edge/{self._device}/camera/+/event"]
        if self._consumer is not None:
            wanted += [f"edge/{self._device}/info", f"edge/{self._device}/response/{REPLAY}"]
        return wanted

    def wants(self, device: str) -> bool:
        """Whether we follow it; a session kept by the broker may know more subscriptions than these."""
        return self._device in ("+", device)

    def cursor(self, device: str) -> str:
        return f"edge/{device}/cursor/{self._consumer}"

    def ask_replay(self, device: str) -> str:
        return f"edge/{device}/command/{REPLAY}"


def device_of(topic: str) -> str | None:
    """The device whose topic this is; the broker's access list makes sure that no other writes there."""
    levels = topic.split("/")
    return levels[1] if len(levels) > 2 and levels[0] == "edge" and is_name(levels[1]) else None


def kind_of(topic: str) -> str | None:
    """``event``, ``info`` or ``response``; None for what was not asked for."""
    match topic.split("/"):
        case ["edge", _, "camera", _, "event"]:
            return "event"
        case ["edge", _, "info"]:
            return "info"
        case ["edge", _, "response", "replay"]:
            return "response"
        case _:
            return None

"""The message by which Home Assistant learns of a device and all its entities (docs/home-assistant.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from edge.core.values import Message
from edge.report.entities import Component, ShownDevice, components
from edge.report.topics import HOME_ASSISTANT_PREFIX, Topics

# Above this size keys are written short; below, a person who looks at the message can read them.
FULL_WORDS_LIMIT = 16 * 1024
# Home Assistant's own short forms (homeassistant/components/mqtt/abbreviations.py).
_SHORT = {
    "availability": "avty",
    "availability_mode": "avty_mode",
    "command_template": "cmd_tpl",
    "command_topic": "cmd_t",
    "content_type": "cont_type",
    "default_entity_id": "def_ent_id",
    "device_class": "dev_cla",
    "entity_category": "ent_cat",
    "event_types": "evt_typ",
    "image_topic": "img_t",
    "json_attributes_template": "json_attr_tpl",
    "json_attributes_topic": "json_attr_t",
    "payload_off": "pl_off",
    "payload_on": "pl_on",
    "payload_press": "pl_prs",
    "platform": "p",
    "state_class": "stat_cla",
    "state_off": "stat_off",
    "state_on": "stat_on",
    "state_topic": "stat_t",
    "topic": "t",
    "unique_id": "uniq_id",
    "unit_of_measurement": "unit_of_meas",
    "value_template": "val_tpl",
}

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Shown:
    """One entity that Home Assistant was told of: what is needed to take it back.

    platform : such as ``sensor``
    """

    platform: str


class Discovery:
    """What one device shows in Home Assistant.

    Parameters
    ----------
    prefix : as set in Home Assistant
    """

    def __init__(self, device: ShownDevice, topics: Topics, prefix: str = HOME_ASSISTANT_PREFIX) -> None:
        self._device = device
        self._topics = topics
        self._components = components(device, topics)
        self.topic = topics.discovery(prefix)

    @property
    def shown(self) -> dict[str, Shown]:
        """Component id -> what is shown."""
        return {key: Shown(each["platform"]) for key, each in self._components.items()}

    def message(self, removed: Mapping[str, Shown] | None = None) -> Message:
        """Retained, QoS 1.

        Parameters
        ----------
        removed : entities that were shown before; each is named with its platform alone, which takes it away
        """
        made: dict[str, Component] = {key: {"platform": each.platform} for key, each in (removed or {}).items()}
        payload = self._payload({**made, **self._components})
        if len(payload) > FULL_WORDS_LIMIT:
            payload = self._payload({key: _shortened(each) for key, each in {**made, **self._components}.items()})
        return Message(self.topic, payload, qos=1, retain=True)

    def _payload(self, entities: Mapping[str, Component]) -> bytes:
        return _encode(
            {
                "device": {
                    "identifiers": [f"edge_{self._topics.device}"],
                    "name": self._topics.device,
                    "manufacturer": "edge",
                    "model": "Video detector",
                    "model_id": self._device.model,
                    "sw_version": self._device.edge,
                },
                "origin": {"name": "edge", "sw_version": self._device.edge},
                "availability": [{"topic": self._topics.status()}],
                "availability_mode": "all",
                "components": entities,
            }
        )


def withdrawal(topic: str) -> Message:
    """Takes back whatever was retained on a topic: a device in Home Assistant, a state that nobody keeps any more."""
    return Message(topic, b"", qos=1, retain=True)


def _shortened(value: Any) -> Any:
    if isinstance(value, dict):
        return {_SHORT.get(key, key): _shortened(each) for key, each in value.items()}
    return [_shortened(each) for each in value] if isinstance(value, list) else value

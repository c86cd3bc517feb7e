"""A real Home Assistant with nothing but its MQTT integration, told what to do by lines of JSON.

Run by a Python that has the packages homeassistant (2025.10 or newer) and paho-mqtt; see ``home_assistant.py``.
Lines in: ``["states"]``, ``["call", domain, service, {...}]``, ``["check", payload]``, ``["quit"]``; one out for each.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import sys
from pathlib import Path
from typing import Any


class Complaints(logging.Handler):
    """What Home Assistant's MQTT integration and its entities complain about."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        # helpers.frame speaks about how this file starts Home Assistant
        if record.name.startswith("homeassistant.") and record.name != "homeassistant.helpers.frame":
            self.said.append(f"{record.name}: {record.getMessage()}"[:600])


async def live(port: int, folder: Path) -> None:
    hass = await _start(port, folder)
    complaints = Complaints()
    logging.getLogger().addHandler(complaints)
    const = importlib.import_module("homeassistant.const")
    _say({"version": const.__version__})
    while True:
        line = await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        match json.loads(line or '["quit"]'):
            case ["states"]:
                await hass.async_block_till_done()
                _say(
                    {"states": [_told(hass, state) for state in hass.states.async_all()], "complaints": complaints.said}
                )
            case ["call", domain, service, data]:
                await hass.services.async_call(domain, service, data, blocking=True)
                _say({"called": f"{domain}.{service}"})
            case ["check", payload]:
                _say({"faults": check(payload)})
            case _:
                await hass.async_stop()
                return


def check(payload: dict[str, Any]) -> list[str]:
    """The payload against Home Assistant's schemas: the message's, then each component's as its platform reads it."""
    schemas = importlib.import_module("homeassistant.components.mqtt.schemas")
    invalid = importlib.import_module("voluptuous").Invalid
    faults = []
    try:
        schemas.DEVICE_DISCOVERY_SCHEMA(payload)
    except invalid as error:
        return [str(error)]
    for key, component in payload["components"].items():
        config = {name: value for name, value in component.items() if name != "platform"}
        if not config:
            continue
        config |= {"device": payload["device"], "origin": payload["origin"]}
        for shared in ("availability", "availability_mode"):
            config.setdefault(shared, payload[shared])
        platform = importlib.import_module(f"homeassistant.components.mqtt.{component['platform']}")
        try:
            read = platform.DISCOVERY_SCHEMA(config)
        except invalid as error:
            faults.append(f"{key}: {error}")
        else:
            faults += [f"{key}: {name} is not known" for name in config.keys() - read.keys()]
    return faults


def _told(hass: Any, state: Any) -> dict[str, Any]:
    registry = importlib.import_module("homeassistant.helpers.entity_registry").async_get(hass)
    entry = registry.async_get(state.entity_id)
    return {
        "id": state.entity_id,
        "state": state.state,
        "attributes": json.loads(json.dumps(dict(state.attributes), default=str)),
        "unique_id": None if entry is None else entry.unique_id,
    }


async def _start(port: int, folder: Path) -> Any:
    """The core without its user interface, which would need a hundred packages more."""
    auth = importlib.import_module("homeassistant.auth")
    bootstrap = importlib.import_module("homeassistant.bootstrap")
    config_entries = importlib.import_module("homeassistant.config_entries")
    core = importlib.import_module("homeassistant.core")
    loader = importlib.import_module("homeassistant.loader")
    setup = importlib.import_module("homeassistant.setup")
    _write_entry(port, folder)
    hass = core.HomeAssistant(str(folder))
    hass.config.skip_pip = True
    loader.async_setup(hass)
    hass.config_entries = config_entries.ConfigEntries(hass, {})
    await bootstrap.async_load_base_functionality(hass)
    hass.auth = await auth.auth_manager_from_config(hass, [{"type": "homeassistant"}], [])
    for domain in ("homeassistant", "mqtt"):
        if not await setup.async_setup_component(hass, domain, {}):
            raise SystemExit(f"Home Assistant could not set up {domain}")
    await hass.async_start()
    return hass


def _write_entry(port: int, folder: Path) -> None:
    """As the dialogue "add integration" would have left it."""
    at = "2026-01-01T00:00:00+00:00"
    entry = {
        "created_at": at,
        "modified_at": at,
        "data": {"broker": "127.0.0.1", "port": port, "protocol": "5"},
        "disabled_by": None,
        "discovery_keys": {},
        "domain": "mqtt",
        "entry_id": "0" * 26,
        "minor_version": 2,
        "options": {"discovery": True, "discovery_prefix": "homeassistant"},
        "pref_disable_new_entities": False,
        "pref_disable_polling": False,
        "source": "user",
        "subentries": [],
        "title": "mqtt",
        "unique_id": None,
        "version": 1,
    }
    store = {"version": 1, "minor_version": 5, "key": "core.config_entries", "data": {"entries": [entry]}}
    (folder / ".storage").mkdir(parents=True)
    (folder / "configuration.yaml").write_text("")
    (folder / ".storage" / "core.config_entries").write_text(json.dumps(store))


def _say(told: dict[str, Any]) -> None:
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    asyncio.run(live(int(sys.argv[1]), Path(sys.argv[2])))

"""What Home Assistant makes of our payloads (Jinja), and what it sends back.

Names from the configuration hold a-z, 0-9, _ and - alone; labels come from a model file and are always written as JSON
with the braces escaped, so that no label can become a template.
"""

from __future__ import annotations

import json

# An alert that was sent late fires while it is news; what is asked for again much later is history.
LATE_S = 300
TRANSACTION = "home-assistant"

# Attributes may not be called state or name: Home Assistant drops those without a word.
PROBLEM = "{{ 'OFF' if value_json.state == 'ok' else 'ON' }}"
REASONS = "{{ {'reasons': value_json.reasons, 'health': value_json.state} | to_json }}"
TEMPERATURE = "{{ value_json.temperature_c }}"
INFERENCE = "{{ value_json.latency_ms.get('infer', {}).get('p50') }}"
DROPPED = "{{ value_json.drops.values() | sum }}"
OCCUPIED = "{{ 'ON' if value | int(0) > 0 else 'OFF' }}"
AVAILABLE = "{{ 'online' if value == 'online' else 'offline' }}"
CONNECTED = "{{ 'ON' if value == 'online' else 'OFF' }}"
STATUS = "{{ {'status': value} | to_json }}"
ENABLED = "{{ 'OFF' if value == 'disabled' else 'ON' }}"
# Empty for what is no alert: Home Assistant lets an event pass only with a type.
ALERT = (
    "{% if value_json.rule and value_json.rule.severity == 'alert' and not (value_json.replayed and "
    f"now().timestamp() - value_json.time.wall_ms / 1000 > {LATE_S}) %}}"
    "{{ {'event_type': value_json.type, 'rule': value_json.rule.name, 'why': value_json.rule.why, "
    "'label': value_json.label, 'score': value_json.score, 'zones': value_json.zones, 'line': value_json.line, "
    "'box': value_json.box, 'track': value_json.track, 'time': value_json.time, 'epoch': value_json.epoch, "
    "'seq': value_json.seq, 'replayed': value_json.replayed} | to_json }}"
    "{% endif %}"
)


def frame_rate(camera: str) -> str:
    """Unknown for a camera that the device has no longer, until Home Assistant has taken it away."""
    rates = f"value_json.cameras | selectattr('name', 'eq', '{camera}') | map(attribute='fps') | list"
    return f"{{{{ ({rates} + [none]) | first }}}}"


def crossings(direction: str) -> str:
    """``in`` is a word of Jinja, so no dot before it."""
    return f"{{{{ value_json['{direction}'] }}}}"


def threshold(camera: str, label: str) -> str:
    """From ``info``, where what commands have changed is told."""
    cameras = "(value_json.settings or {}).get('cameras', {})"
    return f"{{{{ {cameras}.get('{camera}', {{}}).get('thresholds', {{}}).get({_literal(label)}) }}}}"


def enable(camera: str, *, enabled: bool) -> str:
    return _command(camera=camera, enabled=enabled)


def set_threshold(camera: str, label: str) -> str:
    """The number goes where the last ``0`` stands."""
    return _command(camera=camera, label=label, threshold=0).removesuffix("0}") + "{{ value }}}"


def _command(**values: object) -> str:
    request = json.dumps({"transaction": TRANSACTION, **values})
    return "{" + request[1:-1].replace("{", "\\u007b").replace("}", "\\u007d") + "}"


def _literal(text: str) -> str:
    return json.dumps(text).replace("{", "\\u007b").replace("}", "\\u007d")


SELF_TEST = _command()

"""The configuration's ``governor`` to what looks after the machine."""

from __future__ import annotations

from edge.config.values import Config
from edge.service.arbiter import Arbiter
from edge.service.contract import Contract
from edge.service.governor import Governor
from edge.service.machine import temperature_c, throttled_file, throttled_flags
from edge.service.steward import Steward


def make_steward(config: Config, arbiter: Arbiter) -> Steward:
    """Switched off it still says whether the contract is kept."""
    section, firmware = config.governor, throttled_file()
    contract = Contract(section.min_fps, section.alert_latency_p95_ms)
    return Steward(
        Governor() if section.enabled else None,
        contract,
        restrain=lambda restraint: arbiter.restrain(restraint, contract),
        machine=lambda: (temperature_c(), throttled_flags(firmware)),
    )

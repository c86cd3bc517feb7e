"""The configuration's ``governor`` to what looks after the machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edge.assemble.plan import Plan
from edge.service.arbiter import Arbiter
from edge.service.contract import Contract
from edge.service.exchange import Exchange
from edge.service.governor import Governor, Restraint
from edge.service.machine import temperature_c, throttled_file, throttled_flags
from edge.service.steward import EVERY_S, Steward


@dataclass(frozen=True, slots=True)
class Board:
    """The machine that is looked after.

    system : where /sys is found
    haste : so many times sooner than on a real one every step is taken; for trials
    """

    system: Path = Path("/")
    haste: float = 1.0


def make_steward(plan: Plan, arbiter: Arbiter, exchange: Exchange, board: Board) -> Steward:
    """Switched off it still says whether the contract is kept."""
    section, firmware = plan.config.governor, throttled_file(board.system)
    contract = Contract(section.min_fps, section.alert_latency_p95_ms)

    def restrain(restraint: Restraint) -> None:
        arbiter.restrain(restraint, contract)
        exchange.want(is_smaller=restraint.smaller_model)

    return Steward(
        Governor(has_smaller_model=plan.smaller is not None, haste=board.haste) if section.enabled else None,
        contract,
        restrain=restrain,
        machine=lambda: (temperature_c(board.system), throttled_flags(firmware)),
        has_smaller_model=lambda: exchange.is_smaller,
        is_timed=lambda: not all(eye.is_whole for eye in arbiter.eyes.values()),
        every_s=EVERY_S / board.haste,
    )

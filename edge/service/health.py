"""From what the service measured to what it says about its health: a state, and reason codes a person can look up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edge.core.protocols import Clock
from edge.core.values import Message
from edge.report import states
from edge.report.topics import Topics
from edge.service.lookout import Condition
from edge.service.machine import disk_free_mb, temperature_c, throttled_file, throttled_flags
from edge.service.news import CameraState
from edge.service.reading import Reading
from edge.service.steward import Care

_DISK_LOW_MB = 100
# The Pi 4's and 5's firmware lowers the clock at 80 to 85 degrees (Raspberry Pi documentation, frequency management).
_HOT_C = 80.0

_WIRE_STATES = {
    CameraState.ONLINE: states.CameraState.ONLINE,
    CameraState.FROZEN: states.CameraState.FROZEN,
    CameraState.IMPAIRED: states.CameraState.IMPAIRED,
    CameraState.OFFLINE: states.CameraState.OFFLINE,
    CameraState.ENDED: states.CameraState.OFFLINE,
    CameraState.DISABLED: states.CameraState.DISABLED,
    CameraState.FAILED: states.CameraState.OFFLINE,
}


def camera_status(topics: Topics) -> Callable[[str, CameraState], Message]:
    """How a camera's state is told; a recording that has ended is offline to those who listen."""
    return lambda camera, state: states.camera_message(topics, camera, _WIRE_STATES[state])


def health_report(
    topics: Topics,
    cameras: tuple[str, ...],
    clock: Clock,
    *,
    folder: Path,
    standing: Callable[[], tuple[str, ...]] = tuple,
    system: Path = Path("/"),
) -> Callable[[Reading], Message]:
    """How the service's readings are told.

    Parameters
    ----------
    folder : where it writes
    standing : reasons that hold whatever is measured, such as ``safe_mode``
    system : where /sys is found
    """
    firmware = throttled_file(system)

    def report(reading: Reading) -> Message:
        temperature, throttled, disk = temperature_c(system), throttled_flags(firmware), disk_free_mb(folder)
        found = _reasons(reading, cameras, temperature=temperature, throttled=throttled, disk_mb=disk)
        reasons = (*standing(), *found)
        health = states.Health(
            state=_state(reading, reasons, cameras),
            reasons=reasons,
            wall_ms=round(clock.utc_now().timestamp() * 1000),
            uptime_s=round(reading.uptime_s),
            cameras=tuple(_camera(name, reading) for name in cameras),
            latency=tuple(states.StageLatency(stage, each.p50, each.p95) for stage, each in reading.stages.items()),
            drops=tuple(states.DropCount(cause, count) for cause, count in reading.drops.items()),
            temperature_c=temperature,
            throttled=throttled,
            disk_free_mb=disk,
            clock_synced=clock.is_synced(),
            outbox_depth=reading.way_out.depth,
            care=_care(reading.care),
            backend=reading.thinking.backend,
            accelerator=reading.thinking.accelerator,
        )
        return states.health_message(topics, health)

    return report


def _camera(name: str, reading: Reading) -> states.CameraHealth:
    state = reading.cameras.get(name)
    wire = states.CameraState.OFFLINE if state is None else _WIRE_STATES[state]
    condition = reading.conditions.get(name, Condition())
    return states.CameraHealth(name, wire, reading.rates.get(name), condition.troubles, condition.spared)


def _care(care: Care) -> states.Care:
    restraint, contract = care.restraint, care.contract
    return states.Care(
        frame_rate=restraint.rate,
        gate_tightness=restraint.tightness,
        smaller_model=restraint.smaller_model,
        causes=care.causes,
        promised={"min_fps": contract.min_fps, "alert_latency_p95_ms": contract.alert_latency_p95_ms},
        broken=care.broken,
    )


def _reasons(
    reading: Reading,
    cameras: tuple[str, ...],
    *,
    temperature: float | None,
    throttled: tuple[str, ...] | None,
    disk_mb: int | None,
) -> tuple[str, ...]:
    found = {
        "camera_offline": any(
            reading.cameras.get(name, CameraState.OFFLINE) is CameraState.OFFLINE for name in cameras
        ),
        "source_unreadable": CameraState.FAILED in reading.cameras.values(),
        "hot": temperature is not None and temperature >= _HOT_C,
        "throttled": any(not flag.endswith("_occurred") for flag in throttled or ()),
        "disk_low": disk_mb is not None and disk_mb < _DISK_LOW_MB,
    }
    troubles = sorted({f"camera_{each}" for one in reading.conditions.values() for each in one.troubles})
    found |= {"restrained": bool(reading.care.causes), "contract_broken": bool(reading.care.broken)}
    codes = (code for code, holds in found.items() if holds)
    return (*codes, *troubles, *reading.thinking.reasons, *reading.way_out.reasons)


def _state(reading: Reading, reasons: tuple[str, ...], cameras: tuple[str, ...]) -> states.HealthState:
    if not reasons:
        return states.HealthState.OK
    seeing = (CameraState.ONLINE, CameraState.IMPAIRED)
    watching = [name for name in cameras if reading.cameras.get(name) in seeing]
    return states.HealthState.DEGRADED if watching else states.HealthState.FAILED

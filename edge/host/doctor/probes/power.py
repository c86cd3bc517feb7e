"""What the Raspberry Pi's firmware holds against the power supply and the cooling."""

from __future__ import annotations

from edge.host.doctor.values import Finding, Patient, ok, warning
from edge.service.machine import temperature_c, throttled_file, throttled_flags

_HOT_C = 80.0  # the Pi 4's and 5's firmware lowers the clock from here on
_SUPPLY = "use the board's own power supply and a short, thick cable"
_COOLING = "give it a heat sink, a fan or more air"


def look(patient: Patient) -> list[Finding]:
    return [_power(patient), _temperature(patient)]


def _power(patient: Patient) -> Finding:
    flags = throttled_flags(throttled_file(patient.place("")))
    if flags is None:
        return ok("power", "this machine says nothing about its power supply")
    now = [flag for flag in flags if not flag.endswith("_occurred")]
    before = [flag.removesuffix("_occurred") for flag in flags if flag.endswith("_occurred")]
    if not flags:
        return ok("power", "steady since the start")
    words = f"now: {_words(now)}" if now else f"since the start: {_words(before)}"
    is_weak = any("voltage" in flag for flag in flags)
    return warning("power", words, _SUPPLY if is_weak else _COOLING)


def _temperature(patient: Patient) -> Finding:
    degrees = temperature_c(patient.place(""))
    if degrees is None:
        return ok("temperature", "this machine says nothing about it")
    if degrees >= _HOT_C:
        return warning("temperature", f"{degrees:.0f} degrees: the processor runs slower", _COOLING)
    return ok("temperature", f"{degrees:.0f} degrees")


def _words(flags: list[str]) -> str:
    return ", ".join(flag.replace("_", " ") for flag in flags)

"""Inside a probe's process: the patient comes in on standard input, the findings go out on standard output."""

from __future__ import annotations

import importlib
import os
import resource
import sys
from collections.abc import Callable

import msgspec

from edge.host.doctor.values import Finding, Patient, broken


def answer(module: str) -> None:
    """Ask the probe, and end the process without the farewells of its libraries."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    patient = msgspec.json.decode(sys.stdin.buffer.read(), type=Patient)
    # Native libraries print what they like on standard output.
    findings_out = os.dup(1)
    os.dup2(2, 1)
    os.write(findings_out, msgspec.json.encode(look(module, patient)))
    os._exit(0)


def look(module: str, patient: Patient) -> list[Finding]:
    """The findings of one probe; a fault of its own is a finding too."""
    try:
        ask: Callable[[Patient], list[Finding]] = importlib.import_module(module).look
        return ask(patient)
    except Exception as error:  # noqa: BLE001 - the other probes go on, and this one's trouble is told
        name = module.rpartition(".")[2]
        return [
            broken(
                name, f"could not be looked at ({type(error).__name__}: {error})", "please report this with the text"
            )
        ]

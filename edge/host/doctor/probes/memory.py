"""Whether there is memory left for a model and pictures."""

from __future__ import annotations

from edge.host.doctor.values import Finding, Patient, ok, warning

_LOW_MB = 150  # the service with one camera needs about as much


def look(patient: Patient) -> list[Finding]:
    figures = {}
    try:
        for line in patient.place("proc/meminfo").read_text(encoding="ascii").splitlines():
            key, _, rest = line.partition(":")
            figures[key] = int(rest.split()[0]) // 1024
    except (OSError, ValueError, IndexError):
        return [ok("memory", "this machine says nothing about it")]
    free, total = figures.get("MemAvailable", 0), figures.get("MemTotal", 0)
    found = f"{free} of {total} MB free"
    if free < _LOW_MB:
        return [warning("memory", found, "stop other programs (`systemctl --type=service`), or take a smaller model")]
    return [ok("memory", found)]

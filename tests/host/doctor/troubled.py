"""Probes that go wrong, each in its own way; ``Patient.device`` says which."""

from __future__ import annotations

import os
import signal
import subprocess

from edge.host.doctor.values import Finding, Patient, ok


def look(patient: Patient) -> list[Finding]:
    match patient.device:
        case "hangs":
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
            subprocess.run(["sleep", "600"], check=False)
        case "crashes":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "leaves":
            os._exit(3)
        case "errs":
            raise KeyError("speed")
        case "chatters":
            os.write(1, b"INFO: Created delegate for CPU.\n" * 1000)
    return [ok("troubled", "all is well")]

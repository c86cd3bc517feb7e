"""The model's run alone, in the process that runs it in the service: what the whole path is measured by."""

from __future__ import annotations

from edge.core.errors import EdgeError
from edge.core.protocols import Clock
from edge.infer.detector import Detector
from edge.infer.interpreter import LiteInterpreter
from edge.service.infer_letters import Exercised

_LEAD_IN = 3  # runs until caches hold what they need


def exercise(detector: Detector, seconds: float, clock: Clock) -> Exercised:
    """Run on what the input holds for so long, once at least."""
    from edge.measure.machine_load import own_cpu_seconds  # for measuring alone

    interpreter = detector.interpreter
    if not isinstance(interpreter, LiteInterpreter):
        raise EdgeError(f"expected a LiteInterpreter to exercise, found {type(interpreter).__name__}")
    for _ in range(_LEAD_IN):
        interpreter.invoke_bare()
    runs_ms: list[float] = []
    cpu_s = own_cpu_seconds()
    first_ns = began_ns = clock.monotonic_ns()
    end_ns = first_ns + round(seconds * 1e9)
    while began_ns < end_ns or not runs_ms:
        interpreter.invoke_bare()
        ended_ns = clock.monotonic_ns()
        runs_ms.append((ended_ns - began_ns) / 1e6)
        began_ns = ended_ns
    return Exercised(runs_ms, (began_ns - first_ns) / 1e9, own_cpu_seconds() - cpu_s)

"""From nothing to the first detection: a fresh process, its start measured from outside."""

from __future__ import annotations

import subprocess
import sys

import msgspec

from edge.core.errors import EdgeError
from edge.core.protocols import Clock
from edge.measure.bench import median_of

_LIMIT_S = 60.0


class FirstDetection(msgspec.Struct, frozen=True):
    """What the fresh process prints when it has seen its first frame; the monotonic clock is the whole machine's."""

    seen_ns: int


def measure_cold_start(command: list[str], clock: Clock, *, times: int = 3) -> float:
    """Seconds until the first detection, the median of some starts.

    Parameters
    ----------
    command : arguments of ``edge`` that print a FirstDetection and end

    Raises
    ------
    EdgeError
        If the process fails or says something else.
    """
    return median_of([_measure_once(command, clock) for _ in range(times)])


def _measure_once(command: list[str], clock: Clock) -> float:
    began_ns = clock.monotonic_ns()
    try:
        done = subprocess.run(  # noqa: S603  # our own program with our own arguments
            [sys.executable, "-m", "edge", *command], capture_output=True, timeout=_LIMIT_S, check=True
        )
        seen_ns = msgspec.json.decode(done.stdout, type=FirstDetection).seen_ns
    except subprocess.CalledProcessError as error:
        lines = error.stderr.decode(errors="replace").strip().splitlines()
        raise EdgeError(f"the cold start failed: {lines[-1] if lines else f'exit code {error.returncode}'}") from error
    except (subprocess.TimeoutExpired, OSError, msgspec.DecodeError) as error:
        raise EdgeError(f"the cold start failed: {error}") from error
    return (seen_ns - began_ns) / 1e9

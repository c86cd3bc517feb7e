"""Runs the system's own commands, with a time limit."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended; code 127 = there is no such command, 124 = it took too long."""

    code: int
    output: str = ""
    errors: str = ""

    @property
    def trouble(self) -> str | None:
        """Why it failed, in words; None when it did not."""
        return None if self.code == 0 else self.errors.strip() or f"exit code {self.code}"


def run(command: Sequence[str]) -> Done:
    """Run it to its end; never raises."""
    try:
        done = subprocess.run(  # noqa: S603 - fixed commands of the system
            command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError:
        return Done(127, errors="not found")
    except subprocess.TimeoutExpired:
        return Done(124, errors=f"no answer within {_TIMEOUT_S:g} s")
    except OSError as error:
        return Done(126, errors=error.strerror or str(error))
    return Done(done.returncode, done.stdout, done.stderr)

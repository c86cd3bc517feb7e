"""A command for each event: its JSON on standard input, never a shell."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys

from edge.client.deliveries import Delivery
from edge.client.hooks import HookError
from edge.core.errors import UsageError


class ExecHook:
    """Runs ``command`` with the event on its standard input, ended by a newline.

    What the command prints goes to our standard error, so that our output stays what it is. Beside our environment it
    has EDGE_KEY (the idempotency key), EDGE_DEVICE, EDGE_CAMERA, EDGE_TYPE, EDGE_MAY_REPEAT (1 = it may know it).

    Parameters
    ----------
    command : words as a shell would split them, quotes included, but nothing is expanded
    timeout_s : then it is killed, with all it has started
    secret_names : variables of our environment that it does not get
    """

    name = "exec"

    def __init__(self, command: str, *, timeout_s: float, secret_names: frozenset[str] = frozenset()) -> None:
        try:
            self._words = shlex.split(command)
        except ValueError as error:
            raise UsageError(f"--exec {command!r:.200}: {error}; close every quote") from error
        if not self._words:
            raise UsageError("--exec: expected a command, found nothing")
        if shutil.which(self._words[0]) is None:
            raise UsageError(f"--exec: {self._words[0]!r:.200} is no command on the path and no file that can be run")
        self._timeout_s = timeout_s
        self._environment = {name: text for name, text in os.environ.items() if name not in secret_names}

    def run(self, delivery: Delivery) -> None:
        try:
            process = self._start(delivery)
        except OSError as error:
            raise HookError(f"{self._words[0]} could not be started ({error.strerror})") from error
        try:
            process.communicate(delivery.payload + b"\n", timeout=self._timeout_s)
        except subprocess.TimeoutExpired as error:
            os.killpg(process.pid, signal.SIGKILL)  # not waited for yet, so the number is still its own
            process.wait()
            raise HookError(f"{self._words[0]} did not end within {self._timeout_s:g} s and was killed") from error
        if process.returncode != 0:
            raise HookError(f"{self._words[0]} ended with exit code {process.returncode}")

    def _start(self, delivery: Delivery) -> subprocess.Popen[bytes]:
        facts = {
            "EDGE_KEY": delivery.key,
            "EDGE_DEVICE": delivery.device,
            "EDGE_CAMERA": delivery.camera,
            "EDGE_TYPE": delivery.type,
            "EDGE_MAY_REPEAT": str(int(delivery.may_repeat)),
        }
        return subprocess.Popen(  # noqa: S603 - the user's own command, split into words, no shell
            self._words,
            stdin=subprocess.PIPE,
            stdout=sys.stderr.fileno(),
            env={**self._environment, **facts},
            start_new_session=True,  # so that its children can be killed with it
        )

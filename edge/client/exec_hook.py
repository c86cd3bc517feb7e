"""A command for each event: its JSON on standard input, never a shell."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack

from edge.client.deliveries import Delivery
from edge.client.hooks import HookError, HookStoppedError
from edge.client.leash import Leash
from edge.core.errors import UsageError


class ExecHook:
    """Runs ``command`` with the event on its standard input, ended by a newline.

    What the command prints goes to our standard error, so that our output stays what it is. Beside our environment it
    has EDGE_KEY (the idempotency key), EDGE_DEVICE, EDGE_CAMERA, EDGE_TYPE, EDGE_MAY_REPEAT (1 = it may know it).
    It does not outlive this process, for then the event is handed over again and the two would run side by side.

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
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._is_stopped = False

    def run(self, delivery: Delivery) -> None:
        with ExitStack() as after:
            try:
                leash = after.enter_context(Leash())
                process = self._start(delivery, leash)
            except OSError as error:
                raise HookError(f"{self._words[0]} could not be started ({error.strerror})") from error
            after.callback(self._forget, process)
            self._await(process, delivery.payload + b"\n")

    def stop(self) -> None:
        """Kill what still runs, with all it has started; nothing more is started."""
        with self._lock:
            self._is_stopped = True
            for process in self._running:
                _kill(process)

    def _start(self, delivery: Delivery, leash: Leash) -> subprocess.Popen[bytes]:
        facts = {
            "EDGE_KEY": delivery.key,
            "EDGE_DEVICE": delivery.device,
            "EDGE_CAMERA": delivery.camera,
            "EDGE_TYPE": delivery.type,
            "EDGE_MAY_REPEAT": str(int(delivery.may_repeat)),
        }
        with self._lock:
            if self._is_stopped:
                raise HookStoppedError(f"{self._words[0]} was not started any more")
            process = subprocess.Popen(  # noqa: S603 - the user's own command, split into words, no shell
                self._words,
                stdin=subprocess.PIPE,
                stdout=sys.stderr.fileno(),
                env={**self._environment, **facts},
                start_new_session=True,  # so that its children can be killed with it
                pass_fds=(leash.end,),
            )
            leash.tie(process.pid)
            self._running.add(process)
        return process

    def _await(self, process: subprocess.Popen[bytes], text: bytes) -> None:
        try:
            process.communicate(text, timeout=self._timeout_s)
        except subprocess.TimeoutExpired as error:
            _kill(process)
            process.wait()
            raise HookError(f"{self._words[0]} did not end within {self._timeout_s:g} s and was killed") from error
        if process.returncode == 0:
            return
        if self._is_stopped:
            raise HookStoppedError(f"{self._words[0]} was still running and was killed")
        raise HookError(f"{self._words[0]} ended with exit code {process.returncode}")

    def _forget(self, process: subprocess.Popen[bytes]) -> None:
        with self._lock:
            self._running.discard(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """With its whole group. While it is not waited for, the number is still its own."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)

"""Takes a target through so many inputs: what it raised, what took too long, what crashed."""

from __future__ import annotations

import faulthandler
import logging
import mmap
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

from tools.faults.fuzz.mutating import Mutator
from tools.faults.fuzz.target import Target

HANG_S = 1.0  # of CPU time: what others do on the machine does not count
_MOST_BYTES = 1 << 17
_BATCH = 5_000  # inputs in one process of a native target
_STUCK_S, _ARM_EVERY = 120, 50  # faulthandler ends what does not come back, with the exit code 1
_FOUND = 9  # the exit code of a process that has found something
_MOST_FINDINGS = 20


@dataclass(slots=True)
class Tally:
    """inputs : so many were tried

    findings : by the kind of error and its place: the first words and input of each
    crashes : processes that ended by themselves; a finding, unless the target is native: there a child may
    slow : inputs that took a native target's process longer than a second
    slowest_s : CPU time of the slowest input
    """

    inputs: int = 0
    crashes: int = 0
    slow: int = 0
    slowest_s: float = 0.0
    findings: dict[str, tuple[str, bytes]] = field(default_factory=dict)


def play(target: Target, corpus: list[bytes], *, inputs: int, seed: int, until_s: float = 1e12) -> Tally:
    """As many inputs as there is time for; ``until_s`` : by the monotonic clock."""
    tally, number = Tally(), 0
    while tally.inputs < inputs and time.monotonic() < until_s and len(tally.findings) < _MOST_FINDINGS:
        count = min(_BATCH, inputs - tally.inputs)
        batch = _Batch(target, corpus, count, seed=seed * 1_000_003 + number)
        batch.run(tally)
        number += 1
    return tally


class _Batch:
    """Some thousand inputs in a process of their own, which may crash; it goes on behind the input that did it."""

    def __init__(self, target: Target, corpus: list[bytes], count: int, *, seed: int) -> None:
        self._target = target
        self._corpus = corpus
        self._count = count
        self._seed = seed
        # What the process does just now outlives it here: number, slowest in microseconds, slow ones, length, input.
        self._board = mmap.mmap(-1, 32 + _MOST_BYTES)

    def run(self, tally: Tally) -> None:
        begin, failures = 0, 0
        while begin < self._count and failures < _MOST_FINDINGS:
            done, status = self._run_from(begin)
            self._read(tally, done - begin)
            if status == 0:
                break
            self._note(tally, status)
            begin, failures = done, failures + (not self._target.is_native)
        self._board.close()

    def _run_from(self, begin: int) -> tuple[int, int]:
        """Returns how many inputs are behind us, and how the process ended."""
        self._board[8:24] = bytes(16)
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            os._exit(self._live(begin))
        _, status = os.waitpid(pid, 0)
        return self._number(0), status

    def _live(self, begin: int) -> int:
        """In the process: an exit code."""
        silence = os.open(os.devnull, os.O_WRONLY)
        if self._target.is_native:  # the runtime talks about each bad file
            os.dup2(silence, 1)
            os.dup2(silence, 2)
        logging.getLogger().handlers = [_Reader(logging.DEBUG)]
        code = 3
        try:
            one = self._target.open()
            mutator = Mutator(self._seed, self._corpus, self._target.words, _MOST_BYTES)
            for number in range(self._count):
                content = mutator.next()
                if number >= begin:
                    self._try(number, content, one)
            code = 0
        except BaseException:  # noqa: BLE001  # told by its traceback, which the parent reads
            self._put_words(traceback.format_exc())
            code = _FOUND
        return code

    def _try(self, number: int, content: bytes, one: Callable[[bytes], None]) -> None:
        board = self._board
        board[0:8] = (number + 1).to_bytes(8, "little")
        board[24:32] = len(content).to_bytes(8, "little")
        board[32 : 32 + len(content)] = content
        if number % _ARM_EVERY == 0:
            faulthandler.dump_traceback_later(_STUCK_S, exit=True)
        began = time.process_time()
        one(content)
        took = time.process_time() - began
        if took > self._number(8) / 1e6:
            board[8:16] = round(took * 1e6).to_bytes(8, "little")
        if took > HANG_S:
            if not self._target.is_native:
                raise TimeoutError(f"one input took {took:.1f} s of CPU time")
            board[16:24] = (self._number(16) + 1).to_bytes(8, "little")

    def _put_words(self, words: str) -> None:
        length = self._number(24)
        room = words.encode("utf-8", "replace")[-4000:]
        at = 32 + length
        self._board[at : at + len(room) + 1] = room + b"\0" if at + len(room) < len(self._board) else b""

    def _read(self, tally: Tally, inputs: int) -> None:
        tally.inputs += inputs
        tally.slowest_s = max(tally.slowest_s, self._number(8) / 1e6)
        tally.slow += self._number(16)

    def _note(self, tally: Tally, status: int) -> None:
        length = self._number(24)
        content = bytes(self._board[32 : 32 + length])
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == _FOUND:
            words = bytes(self._board[32 + length :]).split(b"\0", 1)[0].decode("utf-8", "replace")
            if words:
                tally.findings.setdefault(_kind(words), (words.strip().splitlines()[-1][:300], content))
                return
        tally.crashes += 1
        if not self._target.is_native:
            name = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else f"exit {status >> 8}"
            tally.findings.setdefault(name, (f"the process ended: {name}", content))

    def _number(self, at: int) -> int:
        return int.from_bytes(self._board[at : at + 8], "little")


class _Reader(logging.Handler):
    """Makes each line of the log, and throws it away."""

    def emit(self, record: logging.LogRecord) -> None:
        record.getMessage()


def _kind(words: str) -> str:
    """The last line of ours in a traceback and the error: findings that are the same are told once."""
    lines = words.strip().splitlines()
    places = [line.strip() for line in lines if line.strip().startswith("File ")]
    return f"{lines[-1].partition(':')[0][:80]} {places[-1] if places else ''}"

"""A command over MQTT: carried out, refused in words, or ignored; and every answer is whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp

from tools.faults.fuzz.target import Target

_SEEDS = [
    b'camera\0{"transaction":"t1","camera":"yard","enabled":false}',
    b'threshold\0{"transaction":"t1","camera":"yard","label":"person","threshold":0.5}',
    b'threshold\0{"transaction":"t1","camera":"yard","label":"person","threshold":null}',
    b'self_test\0{"transaction":"t1"}',
    b'replay\0{"transaction":"t1","camera":"yard","seconds":10}',
    b'R{"transaction":"t1","epoch":"e","from":1,"to":9}',
    b'C{"epoch":"e","seq":7}',
]
_WORDS = [
    b'"', b"{", b"}", b"[", b"]" * 40, b"[" * 2000, b":", b",", b"1e999", b"-0", b"NaN", b"null", b"true", b'"\\u0000"',
    b'"\\ud800"', b'"transaction":', b'"camera":', b"\xff", b"9" * 40, b"/", b"#", b"+", b"\0",
]  # fmt: skip


def _open() -> Callable[[bytes], None]:
    from edge.report.listening import Heard
    from tests.service.commands.desk import TOPICS, Desk

    desk = Desk(Path(mkdtemp(dir="/dev/shm")), per_minute=1e9, burst=10)

    def one(content: bytes) -> None:
        name, _, payload = content.partition(b"\0")
        topic = f"{TOPICS.command_base()}{name.decode('utf-8', 'replace')}"
        desk.clock.advance(1.0)
        desk.inbox.put(Heard(topic, payload[:4097], retained=bool(len(content) % 7 == 0)))
        for message in desk.desk.due() + desk.desk.due():
            assert "#" not in message.topic and "+" not in message.topic
            json.loads(message.payload)
        desk.tuned.clear()
        for switch in desk.switches.values():
            switch.turns.clear()

    return one


COMMANDS = Target("commands", lambda: _SEEDS, _open, _WORDS)

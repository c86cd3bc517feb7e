"""What a child says to the service: whatever it is, the service goes on; the child may be ended for it."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from tools.faults.fuzz.target import Target

_CAMERA, _MODEL, _PUBLISHER = range(3)
_HEAD = struct.Struct(">BH")


def _said(who: int, letter: bytes) -> bytes:
    return _HEAD.pack(who, len(letter)) + letter


def _seeds() -> list[bytes]:
    import numpy as np

    from edge.core.glance import Glance, LensFacts
    from edge.infer.golden import Golden
    from edge.service import capture_letters as camera
    from edge.service import infer_letters as model
    from edge.service import letters as publisher
    from edge.service.trouble import Trouble

    at = datetime(2026, 1, 1, tzinfo=UTC)
    lens = LensFacts(100.0, 0.0, 0.0, 0.2, 0.1, 0.01)
    boxes = np.array([[10, 10, 40, 60], [100, 20, 160, 90]], np.float32).tobytes()
    scores, ids = np.array([0.9, 0.7], np.float32).tobytes(), np.array([0, 1], np.int32).tobytes()

    def eye(letter: object) -> bytes:
        return _said(_CAMERA, camera.encode(letter))

    def brain(letter: object) -> bytes:
        return _said(_MODEL, model.encode(letter))

    def announce(number: int) -> bytes:
        return eye(camera.Announce(0, number, number * 10**8, at, 320, 240, glance=Glance(0.1, lens=lens)))

    def found(job: int) -> bytes:
        return brain(model.Found(job, boxes, scores, ids, (1.0, 1.0, 1.0, 1.0)))

    ready = brain(model.Ready("m", "0" * 64, "cpu", "none 0", 1.0))
    online = eye(camera.Phase("opening")) + eye(camera.Told("online")) + eye(camera.Phase("reading"))
    work = b"".join(announce(number) + found(number) for number in range(1, 5))
    trouble = Trouble("SourceError", "unplugged")
    offline = eye(camera.Told("offline", trouble)) + eye(camera.Phase("resting"))
    failed = brain(model.Failed(1, "the run failed")) + brain(model.Cannot(Trouble("ModelError", "no")))
    tested = brain(model.Tested(1.0)) + brain(model.Pictured("yard", 1, b"\xff\xd8"))
    progress = _said(_PUBLISHER, publisher.encode(publisher.Progress(beat=1, heard=3, drops={"x": 1}, last_error="no")))
    arrived = _said(_PUBLISHER, publisher.encode(publisher.Arrived("edge/gate/command/x", b"{}", False)))
    assert Golden
    return [
        ready + online + work + offline,
        ready + online + announce(1) + brain(model.Skipped(1)) + announce(2) + failed,
        online + eye(camera.Told("ended")) + ready + tested,
        progress + arrived + ready + online + work + eye(camera.Told("failed", trouble)),
    ]


def _open() -> Callable[[bytes], None]:
    from edge.core.errors import EdgeError
    from tools.faults.fuzz.puppets import PuppetService

    def one(content: bytes) -> None:
        stage = PuppetService()
        whom = (stage.camera, stage.model, stage.publisher)
        try:
            for who, letter in _frames(content):
                whom[who].says.append(letter)
                stage.go_round()
                try:
                    assert stage.arbiter.is_ready in (True, False)
                except EdgeError:  # the model can't run: the service would end with these words
                    return
            stage.go_round()
        finally:
            stage.end()

    return one


def _frames(content: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _HEAD.size <= len(content):
        who, length = _HEAD.unpack_from(content, at)
        at += _HEAD.size
        yield who % 3, content[at : at + length]
        at += length


CHILDREN = Target("children", _seeds, _open, [b"\xc0", b"\xcb\x7f\xf8\0\0\0\0\0\0", b"\xcb\x7f\xf0\0\0\0\0\0\0"])

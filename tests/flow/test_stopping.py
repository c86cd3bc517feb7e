"""How the service ends when somebody ends it, and what a person reads when it can't begin."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from tests.flow.running import CHECKOUT, run_edge, write_config

NOBODY = {"host": "127.0.0.1", "port": 9}  # the discard port: nothing listens there


def test_a_service_that_is_stopped_ends_with_0_even_while_its_broker_is_away(tmp_path: Path) -> None:
    config = write_config(
        tmp_path, {"device": "gate", "broker": NOBODY, "cameras": {"yard": {"source": "synthetic", "loop": True}}}
    )
    service = subprocess.Popen(
        [sys.executable, "-m", "edge", "run", "--config", str(config)], stderr=subprocess.PIPE, text=True, cwd=CHECKOUT
    )
    assert service.stderr is not None
    for line in service.stderr:
        if "yard: online" in line:
            break

    service.send_signal(signal.SIGTERM)

    _, rest = service.communicate(timeout=30)
    assert service.returncode == 0, rest
    assert "stopped after" in rest
    assert "127.0.0.1:9" in rest  # that the broker was away is said all the same


def test_a_recording_that_can_not_be_read_gives_one_error(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"this is no video" * 100)
    config = write_config(tmp_path, {"device": "gate", "broker": NOBODY, "cameras": {"yard": {"source": "clip.mp4"}}})

    done = run_edge("run", "--config", str(config))

    assert done.returncode == 78
    assert "Traceback" not in done.stderr
    assert len([line for line in done.stderr.splitlines() if "clip.mp4" in line]) == 1

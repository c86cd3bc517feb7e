"""The pair of units: a detector without network or secrets, a publisher without cameras, a socket between them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.brokers import Lines
from tests.flow.running import CHECKOUT, heard_by, write_config

RULES = {"nobody": {"when": "absence", "label": "cat", "seconds": 1}}
# every frame is looked at, however slow the machine is: else a short scene may be over before the model runs
SCENE = {"demo": {"source": "synthetic:?seconds=3", "pace": "fast", "publish_detections": True, "rules": RULES}}


@contextmanager
def unit(*arguments: str, runtime: Path | None = None) -> Iterator[tuple[subprocess.Popen[str], Lines]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "edge", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
        env=os.environ if runtime is None else {**os.environ, "RUNTIME_DIRECTORY": str(runtime)},
    )
    try:
        yield process, Lines(process.stderr)
    finally:
        process.kill()
        process.wait()


def publisher(
    config: Path, socket: Path, *, runtime: Path | None = None
) -> AbstractContextManager[tuple[subprocess.Popen[str], Lines]]:
    return unit("publish", "--config", str(config), "--socket", str(socket), runtime=runtime)


def detector(config: Path, socket: Path) -> AbstractContextManager[tuple[subprocess.Popen[str], Lines]]:
    return unit("run", "--config", str(config), "--publisher", str(socket))


def detect(config: Path, socket: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edge", "run", "--config", str(config), "--publisher", str(socket)]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, cwd=CHECKOUT, check=False)


# still going on when its publisher is killed: one that is killed during the last delivery leaves it to the next start
LONG_SCENE = {"demo": {**SCENE["demo"], "source": "synthetic:?seconds=15", "pace": "real"}}


def settings(port: int, folder: Path, *, scene: dict[str, Any] = SCENE, **more: Any) -> dict[str, Any]:
    broker = {"host": "127.0.0.1", "port": port, **more}
    return {"device": "gate", "broker": broker, "cameras": scene, "outbox": {"path": str(folder / "outbox.db")}}


@pytest.mark.broker
def test_all_that_one_process_tells_two_tell_too(tmp_path: Path) -> None:
    with heard_by(tmp_path) as (port, hear):
        config = write_config(tmp_path, settings(port, tmp_path))
        with publisher(config, tmp_path / "socket") as (process, _):
            done = detect(config, tmp_path / "socket")

            assert process.wait(timeout=20) == 0
        heard = hear()

    topics = [topic for topic, _ in heard]
    statuses = [payload for topic, payload in heard if topic == "edge/gate/status"]
    assert done.returncode == 0, done.stderr
    assert statuses == ["online", "offline"]
    assert {"edge/gate/info", "edge/gate/health", "edge/gate/camera/demo/detections"} <= set(topics)
    assert "edge/gate/camera/demo/event" in topics


@pytest.mark.broker
def test_only_the_publisher_reads_the_password(tmp_path: Path) -> None:
    """The detector has no credential of that name, and starts all the same."""
    with heard_by(tmp_path) as (port, hear):
        secret = tmp_path / "password"
        secret.write_text("hunter2")
        secret.chmod(0o600)
        (tmp_path / "publisher").mkdir()
        login = {"username": "gate", "password": {"credential": "mqtt-password"}}
        mine = {"username": "gate", "password": {"file": str(secret)}}
        theirs = write_config(tmp_path, settings(port, tmp_path, **login))
        ours = write_config(tmp_path / "publisher", settings(port, tmp_path, **mine))
        with publisher(ours, tmp_path / "socket"):
            done = detect(theirs, tmp_path / "socket")
        heard = hear()

    assert done.returncode == 0, done.stderr
    assert ("edge/gate/status", "online") in heard


@pytest.mark.slow
@pytest.mark.broker
def test_a_publisher_that_dies_is_found_again_and_nothing_is_lost(tmp_path: Path) -> None:
    with heard_by(tmp_path) as (port, hear):
        config = write_config(tmp_path, settings(port, tmp_path, scene=LONG_SCENE))
        meeting = tmp_path / "socket"
        with publisher(config, meeting) as (first, log), detector(config, meeting) as (process, _):
            log.wait_for(lambda line: "connected" in line)
            first.kill()
            first.wait()
            with publisher(config, meeting):
                code = process.wait(timeout=100)
        heard = hear()

    assert code == 0
    assert [payload for topic, payload in heard if topic == "edge/gate/status"][-1] == "offline"
    assert "edge/gate/camera/demo/event" in [topic for topic, _ in heard]


def test_a_publisher_with_a_wrong_configuration_says_so_at_once(tmp_path: Path) -> None:
    config = write_config(tmp_path, settings(9, tmp_path) | {"devise": "gate"})
    with publisher(config, tmp_path / "socket") as (process, log):
        said = log.wait_for(lambda line: line.startswith("edge: "))
        code = process.wait(timeout=20)

    assert "devise" in said
    assert code == 78


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_one_that_waits_says_so_and_goes_in_good_order(tmp_path: Path, number: signal.Signals) -> None:
    config = write_config(tmp_path, settings(9, tmp_path))
    with publisher(config, tmp_path / "socket") as (process, log):
        said = log.wait_for(lambda line: "waiting" in line)
        process.send_signal(number)
        code = process.wait(timeout=20)

    assert str(tmp_path / "socket") in said
    assert code == 0
    assert not (tmp_path / "socket").exists()


def test_a_second_one_at_the_same_socket_is_75_and_named_the_first(tmp_path: Path) -> None:
    config = write_config(tmp_path, settings(9, tmp_path))
    with publisher(config, tmp_path / "socket") as (first, log):
        log.wait_for(lambda line: "waiting" in line)
        with publisher(config, tmp_path / "socket") as (second, said):
            code = second.wait(timeout=20)
            words = said.wait_for(lambda line: line.startswith("edge: "))

        assert first.poll() is None
    assert code == 75
    assert f"process {first.pid} has this place already" in words


@pytest.mark.slow
@pytest.mark.broker
def test_a_configuration_that_breaks_while_the_detector_runs_does_not_end_publishing(tmp_path: Path) -> None:
    runtime = tmp_path / "run"
    runtime.mkdir()
    meeting = tmp_path / "socket"
    with heard_by(tmp_path) as (port, hear):
        config = write_config(tmp_path, settings(port, tmp_path, scene=LONG_SCENE))
        with publisher(config, meeting, runtime=runtime) as (first, log), detector(config, meeting) as (process, _):
            log.wait_for(lambda line: "connected" in line)
            config.write_text("cameras: [this is, no: configuration\n")
            first.kill()
            first.wait()
            with publisher(config, meeting, runtime=runtime) as (_, second):
                second.wait_for(lambda line: "goes on with the configuration as it was" in line)
                code = process.wait(timeout=100)
        heard = hear()

    assert code == 0
    assert [payload for topic, payload in heard if topic == "edge/gate/status"][-1] == "offline"

"""What is done with an event: a command, a web service, again after a failure, in order."""

from __future__ import annotations

import http.server
import json
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.client import Delivery
from edge.client.exec_hook import ExecHook
from edge.client.hooks import HookError, HookStoppedError, Retrying, Workers
from edge.client.webhook import Webhook
from edge.core.clock import SystemClock
from edge.core.errors import UsageError
from tests.client.conftest import Follow
from tests.fakes_client import FakeDevice, event_json

DELIVERY = Delivery("gate", "E1", 7, "yard", "zone_enter", event_json(7), may_repeat=False)


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str], str]:
    """Makes a command from the text of a shell script."""

    def make(text: str) -> str:
        path = tmp_path / "hook script"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return f"'{path}' 'one argument' $HOME"

    return make


def test_a_command_gets_the_event_its_words_and_its_key(script: Callable[[str], str], tmp_path: Path) -> None:
    command = script(f'cat > "{tmp_path}/in"; echo "$1|$2|$EDGE_KEY|$EDGE_MAY_REPEAT" > "{tmp_path}/words"')

    ExecHook(command, timeout_s=10).run(DELIVERY)

    assert json.loads((tmp_path / "in").read_text())["seq"] == 7
    assert (tmp_path / "words").read_text() == "one argument|$HOME|gate/E1/7|0\n"


def test_a_command_that_fails_or_hangs_is_a_failure(script: Callable[[str], str]) -> None:
    with pytest.raises(HookError, match="exit code 3"):
        ExecHook(script("exit 3"), timeout_s=10).run(DELIVERY)
    with pytest.raises(HookError, match=r"did not end within 0\.2 s"):
        ExecHook(script("sleep 60"), timeout_s=0.2).run(DELIVERY)


def test_a_command_that_reads_nothing_is_no_failure(script: Callable[[str], str]) -> None:
    big = Delivery("gate", "E1", 7, "yard", "zone_enter", event_json(7, padding="x" * 200_000), may_repeat=False)

    ExecHook(script("exit 0"), timeout_s=10).run(big)


def test_what_a_hanging_command_has_started_dies_with_it(script: Callable[[str], str], tmp_path: Path) -> None:
    command = script(f'sleep 60 & echo $! > "{tmp_path}/child"; wait')

    with pytest.raises(HookError):
        ExecHook(command, timeout_s=0.5).run(DELIVERY)

    _wait_for(lambda: _is_gone(tmp_path / "child"))


def _is_gone(pid_file: Path) -> bool:
    """Whether the process is, or waits to be buried by somebody who does not care."""
    state = Path(f"/proc/{pid_file.read_text().strip()}/stat")
    return not state.exists() or state.read_text().split()[2] == "Z"


def _wait_for(is_so: Callable[[], bool]) -> None:
    moment = threading.Event()
    for _ in range(500):
        if is_so():
            return
        moment.wait(0.02)
    raise AssertionError("not so in time")


def _long_command(script: Callable[[str], str], tmp_path: Path) -> str:
    """Writes its child's number into the file child, then waits for it."""
    return script(f'sleep 60 & echo $! > "{tmp_path}/new"; mv "{tmp_path}/new" "{tmp_path}/child"; wait')


def test_what_still_runs_when_we_leave_is_killed_with_all_it_has_started(
    script: Callable[[str], str], tmp_path: Path
) -> None:
    hook = ExecHook(_long_command(script, tmp_path), timeout_s=60)
    caught: list[HookError] = []

    def run() -> None:
        try:
            hook.run(DELIVERY)
        except HookError as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    _wait_for((tmp_path / "child").exists)
    hook.stop()
    thread.join(10)

    assert [type(error) for error in caught] == [HookStoppedError]
    _wait_for(lambda: _is_gone(tmp_path / "child"))
    with pytest.raises(HookStoppedError):
        hook.run(DELIVERY)


def test_what_still_runs_when_we_are_killed_dies_with_us(script: Callable[[str], str], tmp_path: Path) -> None:
    program = (
        "import sys; from edge.client import Delivery; from edge.client.exec_hook import ExecHook;"
        "ExecHook(sys.argv[1], timeout_s=60).run(Delivery('gate', 'E1', 7, 'yard', 'gap', b'{}', may_repeat=False))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    with subprocess.Popen([sys.executable, "-c", program, _long_command(script, tmp_path)], env=environment) as process:
        _wait_for((tmp_path / "child").exists)
        process.kill()

    _wait_for(lambda: _is_gone(tmp_path / "child"))


def test_what_a_command_leaves_running_on_purpose_goes_on(script: Callable[[str], str], tmp_path: Path) -> None:
    ExecHook(script(f'sleep 60 & echo $! > "{tmp_path}/child"'), timeout_s=10).run(DELIVERY)

    assert not _is_gone(tmp_path / "child")
    os.kill(int((tmp_path / "child").read_text()), signal.SIGKILL)


def test_a_command_does_not_inherit_the_brokers_password(
    script: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_MQTT_PASSWORD", "canary")
    command = script(f'env > "{tmp_path}/env"')

    ExecHook(command, timeout_s=10, secret_names=frozenset({"EDGE_MQTT_PASSWORD"})).run(DELIVERY)

    assert "canary" not in (tmp_path / "env").read_text()


@pytest.mark.parametrize(
    ("command", "words"), [("", "found nothing"), ("'open", "close every quote"), ("no-such-command", "no command")]
)
def test_a_command_that_can_not_be_is_refused_at_once(command: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        ExecHook(command, timeout_s=1)


class Service:
    """A web service on loopback that answers as told."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, dict[str, str], bytes]] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.posts.append((self.path, dict(self.headers.items()), body))
                status, headers = outer.answers.pop(0) if outer.answers else (204, {})
                self.send_response(status)
                for name, text in headers.items():
                    self.send_header(name, text)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook?x=1"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.close()


def test_a_post_carries_the_event_and_its_idempotency_key(service: Service) -> None:
    Webhook(service.url, timeout_s=10, token="canary").run(DELIVERY)

    path, headers, body = service.posts[0]
    assert path == "/hook?x=1"
    assert json.loads(body)["seq"] == 7
    assert headers["Idempotency-Key"] == '"gate/E1/7"'
    assert headers["Content-Type"] == "application/json"
    assert headers["Authorization"] == "Bearer canary"


@pytest.mark.parametrize("status", [302, 400, 404, 500, 503])
def test_any_other_answer_is_a_failure(service: Service, status: int) -> None:
    service.answers = [(status, {"Location": "http://127.0.0.1:1/"})]

    with pytest.raises(HookError, match=str(status)):
        Webhook(service.url, timeout_s=10).run(DELIVERY)

    assert len(service.posts) == 1


def test_the_service_may_say_when_to_come_again(service: Service) -> None:
    service.answers = [(429, {"Retry-After": "7"})]

    with pytest.raises(HookError) as caught:
        Webhook(service.url, timeout_s=10).run(DELIVERY)

    assert caught.value.after_s == 7.0


def test_nobody_there_is_a_failure_in_words() -> None:
    with pytest.raises(HookError, match="refused"):
        Webhook("http://127.0.0.1:1/", timeout_s=5).run(DELIVERY)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://example.org/", "use https"),
        ("ftp://example.org/", "expected an address"),
        ("example.org", "expected an address"),
        ("https://user:secret@example.org/", "token file"),
        ("https://[::1/", "expected an address"),
        ("http://127.0.0.1.example.org/", "use https"),
    ],
)
def test_an_address_that_is_unsafe_or_none_is_refused(url: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Webhook(url, timeout_s=5)


class Flaky:
    """A hook that fails as often as told, per event."""

    def stop(self) -> None:
        return

    def __init__(self, name: str, failures: dict[int, int]) -> None:
        self.name = name
        self.failures = failures
        self.ran: list[str] = []

    def run(self, delivery: Delivery) -> None:
        self.ran.append(f"{delivery.device}/{delivery.seq}")
        if self.failures.get(delivery.seq, 0):
            self.failures[delivery.seq] -= 1
            raise HookError("not now", after_s=0.05)


@pytest.mark.broker
def test_a_failure_is_tried_again_before_the_next_one_and_what_worked_is_not_repeated(
    follow: Follow, device: FakeDevice
) -> None:
    follower = follow()
    first, second = Flaky("first", {}), Flaky("second", {1: 2})
    workers = Workers(follower.consumer, [first, second], at_once=3, retrying=Retrying(), clock=SystemClock())

    workers.start()
    for seq in (1, 2, 3):
        device.say(seq)
    follower.wait_for(lambda: workers.finished == 3)
    workers.stop(5.0)

    assert first.ran == ["gate/1", "gate/2", "gate/3"]
    assert second.ran == ["gate/1", "gate/1", "gate/1", "gate/2", "gate/3"]
    assert workers.failures == 2


@pytest.mark.broker
def test_after_the_last_attempt_it_is_set_aside_and_the_next_goes_on(follow: Follow, device: FakeDevice) -> None:
    follower = follow()
    hook = Flaky("hook", {1: 99})
    workers = Workers(follower.consumer, [hook], at_once=1, retrying=Retrying(attempts=3), clock=SystemClock())

    workers.start()
    for seq in (1, 2):
        device.say(seq)
    follower.wait_for(lambda: workers.finished == 1)
    workers.stop(5.0)

    assert hook.ran == ["gate/1", "gate/1", "gate/1", "gate/2"]
    assert follower.consumer.stats().failed == 1


@pytest.mark.broker
def test_no_more_are_finished_than_asked_for(follow: Follow, device: FakeDevice) -> None:
    follower = follow()
    hook = Flaky("hook", {})
    workers = Workers(follower.consumer, [hook], at_once=3, retrying=Retrying(), clock=SystemClock(), limit=2)
    for seq in range(1, 6):
        device.say(seq)

    workers.start()
    follower.wait_for(lambda: workers.finished == 2)
    follower.wait_for(lambda: follower.consumer.stats().events == 5)
    workers.stop(5.0)

    assert hook.ran == ["gate/1", "gate/2"]

"""``edge watch`` as a person meets it: a process of its own, a real broker, real certificates."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.cli.watch_text import Output, Printer
from edge.client import Delivery, Notice, NoticeKind
from edge.client.hooks import HookBlockedError
from tests.bad_disk import BadDisk
from tests.brokers import Brokers, Lines, Mosquitto, brokers_in
from tests.cli.command import REPOSITORY, edge
from tests.fakes_client import FakeDevice


class Watching:
    """A running ``edge watch``."""

    def __init__(self, *arguments: str | Path, environment: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "edge", "watch", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY), **(environment or {})},
        )
        self.out = Lines(self.process.stdout)
        self.err = Lines(self.process.stderr)

    def connected(self) -> Watching:
        self.err.wait_for(lambda line: "connected to" in line)
        return self

    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out.wait_for(lambda _line: True))
        return found

    def end(self, by: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(by)
        return self.process.wait(15)


@pytest.fixture
def brokers(tmp_path: Path) -> Iterator[Brokers]:
    yield from brokers_in(tmp_path)


@pytest.fixture
def broker(brokers: Brokers) -> Mosquitto:
    return brokers.start()


@pytest.fixture
def device(broker: Mosquitto) -> Iterator[FakeDevice]:
    device = FakeDevice(broker.port)
    yield device
    device.close()


Watch = Callable[..., Watching]


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Starts watchers; ends them."""
    started: list[Watching] = []

    def start(*arguments: str | Path, environment: dict[str, str] | None = None) -> Watching:
        started.append(Watching(*arguments, environment=environment))
        return started[-1]

    yield start
    for watching in started:
        watching.process.kill()
        watching.process.wait(15)


def _url(broker: Mosquitto) -> str:
    return f"mqtt://127.0.0.1:{broker.port}"


@pytest.mark.broker
def test_each_event_is_one_json_line_and_repeats_are_none(watch: Watch, broker: Mosquitto, device: FakeDevice) -> None:
    watching = watch("--broker", _url(broker), "--json").connected()

    for seq in (1, 1, 2):
        device.say(seq)

    assert [watching.json()["seq"] for _ in range(2)] == [1, 2]
    assert watching.end() == 0


@pytest.mark.broker
def test_for_people_an_event_is_a_line_and_obeys_no_foreign_terminal_code(
    watch: Watch, broker: Mosquitto, device: FakeDevice
) -> None:
    watching = watch("--broker", _url(broker)).connected()

    device.say(1, label="per\u001b[31mson", rule={"name": "intruder", "severity": "alert"}, replayed=True)

    line = watching.out.wait_for(lambda _line: True)
    assert "gate/yard  zone_enter  per?[31mson 0.83  drive  ALERT intruder  (sent late)" in line
    assert watching.end(signal.SIGINT) == 0


@pytest.mark.broker
def test_with_a_name_it_goes_on_where_it_stopped(
    watch: Watch, broker: Mosquitto, device: FakeDevice, tmp_path: Path
) -> None:
    arguments = ("--broker", _url(broker), "--json", "--consumer", "archive", "--state", tmp_path / "state")
    watching = watch(*arguments).connected()
    device.say(1)
    assert watching.json()["seq"] == 1
    assert watching.end() == 0
    device.say(2)

    again = watch(*arguments, "--count", "1")

    assert again.json()["seq"] == 2
    assert again.process.wait(15) == 0


@pytest.mark.broker
def test_a_gap_stands_in_the_json_and_ends_it_with_1(watch: Watch, broker: Mosquitto, device: FakeDevice) -> None:
    watching = watch("--broker", _url(broker), "--json").connected()
    device.say(1)
    device.say(4)
    assert [watching.json()["seq"] for _ in range(2)] == [1, 4]

    notice = watching.json()

    assert (notice["notice"], notice["ranges"]) == ("lost", [[2, 3]])
    assert watching.end() == 1


@pytest.mark.broker
def test_a_command_runs_per_event_and_its_output_stays_out_of_ours(
    watch: Watch, broker: Mosquitto, device: FakeDevice
) -> None:
    watching = watch("--broker", _url(broker), "--json", "--exec", "cat", "--count", "2").connected()

    for seq in (1, 2):
        device.say(seq)

    assert [watching.json()["seq"] for _ in range(2)] == [1, 2]
    watching.err.wait_for(lambda line: '"seq": 2' in line)
    assert watching.process.wait(15) == 0


@pytest.mark.broker
def test_a_command_that_always_fails_ends_it_with_1(watch: Watch, broker: Mosquitto, device: FakeDevice) -> None:
    watching = watch("--broker", _url(broker), "--exec", "false", "--attempts", "1").connected()

    device.say(1)

    watching.err.wait_for(lambda line: "set aside" in line)
    assert watching.end() == 1


@pytest.mark.broker
def test_a_reader_that_leaves_ends_it_without_a_word(watch: Watch, broker: Mosquitto, device: FakeDevice) -> None:
    command = [sys.executable, "-m", "edge", "watch", "--broker", _url(broker), "--json"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    err = Lines(process.stderr)
    err.wait_for(lambda line: "connected to" in line)
    assert process.stdout is not None
    process.stdout.close()

    device.say(1)

    process.wait(15)
    assert err.count("Traceback") == 0


@pytest.mark.broker
def test_a_broker_that_goes_later_is_waited_for(watch: Watch, broker: Mosquitto, device: FakeDevice) -> None:
    watching = watch("--broker", _url(broker), "--json").connected()
    broker.kill()
    broker.start()
    watching.connected()
    after = FakeDevice(broker.port)

    after.say(1)

    assert watching.json()["seq"] == 1
    assert watching.end() == 0
    after.close()


@pytest.mark.broker
def test_a_password_comes_from_a_file_or_the_environment(watch: Watch, brokers: Brokers, tmp_path: Path) -> None:
    subprocess.run(["mosquitto_passwd", "-b", "-c", tmp_path / "users", "ann", "canary"], check=True)
    broker = brokers.start(f"allow_anonymous false\npassword_file {tmp_path / 'users'}")
    secret = tmp_path / "secret"
    secret.write_text("canary\n")
    secret.chmod(0o600)
    arguments = ("--broker", _url(broker), "--username", "ann")

    by_file = watch(*arguments, "--password-file", secret).connected()
    by_environment = watch(*arguments, environment={"EDGE_MQTT_PASSWORD": "canary"}).connected()

    assert (by_file.end(), by_environment.end()) == (0, 0)
    edge("watch", *arguments).assert_one_error(75, "not authorized")


def test_nobody_there_is_75_with_the_reason() -> None:
    edge("watch", "--broker", "mqtt://127.0.0.1:1", "--wait", "0.5").assert_one_error(75, "nothing listens there")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--broker", "mqtt://broker.example"), "plain text goes to this machine alone"),
        (("--broker", "broker.example"), "expected mqtt://HOST"),
        (("--broker", "http://localhost"), "expected mqtt://HOST"),
        (("--broker", "mqtt://localhost:99999"), "expected mqtt://HOST"),
        (("--broker", "mqtt://ann:canary@localhost"), "--password-file"),
        (("--consumer", "Archive"), "expected 1 to 64"),
        (("--device", "a/b"), "expected 1 to 64"),
        (("--state", "somewhere"), "--consumer"),
        (("--cert", "a.pem"), "go together"),
        (("--ca", "a.pem"), "mqtts://"),
        (("--webhook", "http://example.org"), "use https"),
        (("--exec", "no-such-command"), "no command"),
    ],
)
def test_what_can_not_be_is_refused_before_anything_happens(arguments: tuple[str, ...], words: str) -> None:
    answer = edge("watch", *arguments)

    answer.assert_one_error(2, words)
    assert "canary" not in answer.err


def test_an_open_secret_or_a_missing_certificate_is_78(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("canary")
    secret.chmod(0o644)

    edge("watch", "--username", "ann", "--password-file", secret).assert_one_error(78, "chmod 600")
    edge("watch", "--broker", "mqtts://localhost", "--ca", tmp_path / "no.pem").assert_one_error(78, "no.pem")


@pytest.mark.broker
def test_a_full_disk_is_told_and_waited_for_and_no_event_is_lost_or_shown_twice(
    watch: Watch, broker: Mosquitto, device: FakeDevice, tmp_path: Path
) -> None:
    disk = BadDisk(tmp_path, tmp_path / "state")
    arguments = ("--broker", _url(broker), "--json", "--consumer", "archive", "--state", tmp_path / "state")
    watching = watch(*arguments, environment=disk.environment).connected()
    device.say(1)
    assert watching.json()["seq"] == 1

    disk.go_bad("28 w")
    device.say(2)
    watching.err.wait_for(lambda line: "database or disk is full" in line and "the devices keep their events" in line)
    disk.go_good()
    device.say(3)

    assert [watching.json()["seq"] for _ in range(2)] == [2, 3]
    assert watching.end() == 0


@pytest.mark.broker
def test_an_event_whose_striking_out_meets_a_full_disk_is_not_handed_over_again(
    watch: Watch, broker: Mosquitto, device: FakeDevice, tmp_path: Path
) -> None:
    disk = BadDisk(tmp_path, tmp_path / "state")
    go_on = tmp_path / "go-on"
    hook = tmp_path / "hook"
    hook.write_text(f'#!/bin/sh\necho "$EDGE_KEY" >&2\nwhile [ ! -e "{go_on}" ]; do sleep 0.02; done\n')
    hook.chmod(0o755)
    arguments = ("--broker", _url(broker), "--consumer", "archive", "--state", tmp_path / "state", "--exec", hook)
    watching = watch(*arguments, environment=disk.environment).connected()
    device.say(1)
    watching.err.wait_for(lambda line: line == "gate/E1/1")

    disk.go_bad("28 w")
    go_on.touch()
    watching.err.wait_for(lambda line: "tried again until it works" in line)
    disk.go_good()
    watching.err.wait_for(lambda line: "the disk takes it again" in line)
    device.say(2)
    watching.err.wait_for(lambda line: line == "gate/E1/2")

    assert watching.end() == 0
    assert watching.err.count("gate/E1/1") == 1


@pytest.mark.broker
def test_a_command_that_still_runs_is_killed_when_we_leave_and_runs_again_at_the_next_start(
    watch: Watch, broker: Mosquitto, device: FakeDevice, tmp_path: Path
) -> None:
    hook = tmp_path / "hook"
    hook.write_text(
        f'#!/bin/sh\nsleep 60 &\necho $! > "{tmp_path}/new"; mv "{tmp_path}/new" "{tmp_path}/child"\nwait\n'
    )
    hook.chmod(0o755)
    named = ("--broker", _url(broker), "--json", "--consumer", "archive", "--state", tmp_path / "state")
    watching = watch(*named, "--exec", hook).connected()
    device.say(1)
    assert watching.json()["seq"] == 1
    moment = threading.Event()
    while not (tmp_path / "child").exists():
        moment.wait(0.02)

    assert watching.end() == 0

    state = Path(f"/proc/{(tmp_path / 'child').read_text().strip()}/stat")
    while state.exists() and state.read_text().split()[2] != "Z":
        moment.wait(0.02)
    again = watch(*named, "--exec", "true", "--count", "1")
    assert again.json()["seq"] == 1
    assert again.process.wait(15) == 0


@pytest.mark.broker
def test_a_second_one_with_the_same_name_is_75_and_told_of_the_first(
    watch: Watch, broker: Mosquitto, tmp_path: Path
) -> None:
    named = ("--broker", _url(broker), "--consumer", "archive", "--state", tmp_path / "state")
    first = watch(*named).connected()

    edge("watch", *named).assert_one_error(75, "another process follows", f"number {first.process.pid}")


class _FullFile:
    """An output that takes nothing until somebody makes room."""

    def __init__(self, folder: Path) -> None:
        self.descriptor = os.open("/dev/full", os.O_WRONLY)
        self.file = folder / "output"

    def make_room(self) -> None:
        real = os.open(self.file, os.O_WRONLY | os.O_CREAT)
        os.dup2(real, self.descriptor)
        os.close(real)


def test_an_output_that_is_full_is_tried_again_and_gets_each_line_once(tmp_path: Path) -> None:
    full = _FullFile(tmp_path)
    printer = Printer(as_json=True, output=Output(full.descriptor))
    events = [Delivery("gate", "E1", seq, "yard", "gap", b'{"seq":%d}' % seq, may_repeat=False) for seq in (1, 2)]
    for event in (*events, events[0]):
        with pytest.raises(HookBlockedError, match="standard output takes nothing"):
            printer.run(event)
    printer.tell(Notice(NoticeKind.LOST, "lost", "gate", "E1", ((3, 4),)))

    full.make_room()
    for event in events:
        printer.run(event)

    lines = [json.loads(line) for line in full.file.read_text().splitlines()]
    assert [line.get("seq") or line["ranges"] for line in lines] == [1, 2, [[3, 4]]]
    os.close(full.descriptor)

"""What the machine may do to the service: disks that fail, descriptors that run out. Detection goes on through all."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.brokers import Brokers, brokers_in
from tests.faults.machine import Machine
from tests.flow.running import CHECKOUT, run_edge, write_config

pytestmark = [pytest.mark.slow, pytest.mark.broker]

PUBLISHER = "edge.assemble.publisher"
NewMachine = Callable[..., Machine]


@pytest.fixture
def brokers(tmp_path: Path) -> Iterator[Brokers]:
    yield from brokers_in(tmp_path)


@pytest.fixture
def new_machine(tmp_path: Path, brokers: Brokers) -> Iterator[NewMachine]:
    made: list[Machine] = []

    def make(environment: Mapping[str, str] | None = None) -> Machine:
        made.append(Machine(brokers, tmp_path, environment=environment))
        return made[-1]

    yield make
    for machine in made:
        machine.end()


@pytest.fixture(scope="session")
def bad_disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    library = tmp_path_factory.mktemp("bad-disk") / "bad_disk.so"
    source = CHECKOUT / "tools" / "faults" / "bad_disk.c"
    subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


@pytest.mark.parametrize("fault", ["28 w", "30 wo", "5 s"], ids=["full", "read-only", "fsync fails"])
def test_a_disk_that_fails_costs_no_event_and_is_used_again_when_it_is_back(
    new_machine: NewMachine, bad_disk: Path, tmp_path: Path, fault: str
) -> None:
    switch = tmp_path / "switch"
    machine = new_machine(
        {"LD_PRELOAD": str(bad_disk), "BAD_DISK_ROOT": str(tmp_path / "disk"), "BAD_DISK_SWITCH": str(switch)}
    )
    machine.next_event()
    switch.write_text(fault)

    told = machine.next_health(lambda reasons: "outbox_memory_only" in reasons)
    during = [machine.next_event()["seq"] for _ in range(3)]
    switch.unlink()
    well = machine.next_health(lambda reasons: "outbox_memory_only" not in reasons)
    machine.next_event()

    assert told["state"] == "degraded"
    assert during == sorted(during)
    assert well["cameras"][0]["fps"] > 0
    assert sorted(set(machine.numbers)) == list(range(1, max(machine.numbers) + 1))
    assert machine.stop() == 0


def test_a_service_that_runs_out_of_descriptors_goes_on_and_recovers(new_machine: NewMachine) -> None:
    """A publisher that dies then can't be replaced; it is as soon as there are descriptors again."""
    machine = new_machine()
    machine.next_event()
    before = machine.open_files()
    machine.allow_files(before)

    os.kill(machine.child(PUBLISHER), signal.SIGKILL)
    machine.log.wait_for(lambda line: "could not be started" in line)
    machine.allow_files(1024)
    machine.next(lambda received: received.topic == "edge/gate/status" and received.payload == "online")
    for _ in range(5):
        machine.next_event()

    assert sorted(set(machine.numbers)) == list(range(1, max(machine.numbers) + 1))
    assert machine.open_files() <= before + 2
    assert machine.stop() == 0


def test_a_place_that_can_not_be_written_from_the_start_is_told_and_stops_no_detection(tmp_path: Path) -> None:
    config = write_config(
        tmp_path,
        {
            "device": "gate",
            "broker": {"host": "127.0.0.1", "port": 9},
            "cameras": {"yard": {"source": "synthetic:?seconds=1"}},
            "outbox": {"path": "/proc/edge/outbox.db"},
        },
    )

    done = run_edge("run", "--config", str(config))

    assert "Traceback" not in done.stderr
    assert "/proc/edge/outbox.db: expected a writable file" in done.stderr
    assert re.search(r"[1-9]\d* frames", done.stderr), done.stderr  # live: some may be passed over

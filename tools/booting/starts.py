"""Checks of starting: the first one of a flashed card, a cold one, one with a clock that is wrong."""

from __future__ import annotations

import json

from tools.booting.bench import DETECTIONS, HEALTH, STATUS, Bench
from tools.booting.time_server import TimeServer

_READY = "systemctl show edge.service --property=ActiveState,NRestarts,ActiveEnterTimestampMonotonic,MemoryPeak"
_LAYOUT = """
set -e
findmnt --noheadings --output TARGET,FSTYPE,OPTIONS / /etc /var /data /boot/firmware 2>/dev/null || true
for place in / /etc /var /data; do findmnt --noheadings --output TARGET,FSTYPE,OPTIONS --mountpoint $place; done
echo "data $(df --output=size --block-size=1M /data | tail -n 1)"
"""
_CARD = """
set -e
test ! -e /boot/firmware/EDGE-PROBLEM.txt || { cat /boot/firmware/EDGE-PROBLEM.txt; exit 1; }
cloud-init schema --config-file /boot/firmware/user-data
! grep -rlE 'PRIVATE KEY' /boot/firmware --include='*' --exclude=setup.sh
test "$(stat -c %a /etc/edge/credentials/mqtt-key)" = 600
test -s /etc/ssh/ssh_host_ed25519_key
hostname
cat /sys/class/video4linux/video0/name
head -n 1 /boot/firmware/edge-status.txt
"""


def first_start(bench: Bench) -> str:
    """A flashed, provisioned card, put in and switched on by nobody with a keyboard."""
    bench.power_on()
    said = bench.wait_for_message(STATUS)
    seen = bench.wait_for_message(DETECTIONS)
    bench.wait_for_message(HEALTH)
    told = bench.login.run(_CARD)
    for word in ("gate", "vivid", "Valid schema"):
        if word not in told:
            raise RuntimeError(f"expected {word!r} on the card, found {told}")
    (bench.folder / "started").touch()
    return f"first message {said:.0f} s, first detections {seen:.0f} s after power on; {told.splitlines()[-1].strip()}"


def interrupted_first_start(bench: Bench) -> str:
    """A card that loses its power while it is set up: the next start makes it good."""
    with bench.another_card("interrupted.img"):
        bench.power_on()
        bench.wait_for("the set-up", lambda: _status(bench).startswith("being set up") or None)
        bench.machine.cut()
        left = _status(bench).strip()
        bench.power_on()
        seen = bench.wait_for_message(DETECTIONS)
        bench.wait_for("the set-up's end", lambda: _status(bench).startswith("set up as") or None)
        told = bench.login.run(f"{_CARD}\nsystemctl is-enabled edge-setup.service 2>&1 || true")
        if "enabled" in told.splitlines()[-1]:
            raise RuntimeError(f"the set-up would run again: {told}")
    return f"cut when its status was {left!r}; set up by the next start, first detections after {seen:.0f} s"


def layout(bench: Bench) -> str:
    """What may be written to, and what may not."""
    bench.be_on()
    told = bench.login.run(_LAYOUT)
    lines = {line.split()[0]: line.split() for line in told.splitlines()}
    if "ro" not in lines["/"][2].split(",") or lines["/etc"][1] != "overlay" or lines["/var"][1] != "overlay":
        raise RuntimeError(f"expected a read-only root with /etc and /var over it, found {told}")
    size_mib = int(lines["data"][1])
    if size_mib < 1000:
        raise RuntimeError(f"expected the data partition to reach the card's end, found {size_mib} MiB: {told}")
    return f"root read-only; data partition grown to {size_mib} MiB"


def cold_start(bench: Bench) -> str:
    """Power off in order, power on: to the first detections."""
    bench.power_off()
    bench.power_on()
    seen = bench.wait_for_message(DETECTIONS)
    said = bench.first(STATUS)
    online = said.at_s - bench.on_since_s if said else 0.0
    return f"{_started(bench)}; online {online:.0f} s, first detections {seen:.0f} s after power on"


def wrong_clock(bench: Bench) -> str:
    """A clock in the past: detection goes on, nothing is told over TLS that can't be checked, then all of it."""
    bench.power_off()
    # what timesyncd remembers would set the clock to the last right time, as it should: here it never had one
    since = len(_events(bench))
    bench.power_on(clock="2020-01-01T00:00:00")
    bench.wait_for_login()
    bench.login.run("systemctl stop systemd-timesyncd; date --set='2020-01-01 00:00:00'; systemctl restart edge")
    began = bench.login.run("date +%s.%N").strip()
    if not began.startswith("157783"):
        raise RuntimeError(f"expected a clock in January 2020, found {began}")
    words = bench.wait_for("a reason in the journal", lambda: _refusal(bench), patience_s=300)
    running = _properties(bench.login.run(_READY))["ActiveState"]
    server = TimeServer()
    try:
        bench.login.run("systemctl start systemd-timesyncd")
        bench.wait_for("events of 2020", lambda: _of_2020(bench, since))
    finally:
        server.stop()
    late = _of_2020(bench, since) or []
    synced = {json.loads(line)["time"]["synced"] for line in late}
    return f"{running} meanwhile; {words}; after the time came, {len(late)} events of 2020 were told, synced: {synced}"


def raspberry_pi_3(bench: Bench) -> str:
    """The same card in the other machine."""
    bench.power_off()
    server = TimeServer()
    try:
        bench.power_on(model="raspi3b")
        seen = bench.wait_for_message(DETECTIONS)
        for topic in (STATUS, HEALTH):
            bench.wait_for_message(topic)
        board = bench.login.run("tr -d '\\0' < /proc/device-tree/model")
        found = _started(bench)
    finally:
        server.stop()
    return f"{board}: {found}; first detections {seen:.0f} s after power on"


def _status(bench: Bench) -> str:
    return bench.on_boot_partition("edge-status.txt")


def _started(bench: Bench) -> str:
    """What systemd and the system say of a start."""
    ready = _properties(bench.login.run(_READY))
    uptime_s = int(ready["ActiveEnterTimestampMonotonic"]) / 1e6
    used = bench.login.run("free --mebi | awk 'NR == 2 { print $3, $2 }'").split()
    peak = int(ready["MemoryPeak"]) >> 20 if ready["MemoryPeak"].isdigit() else 0
    return (
        f"{ready['ActiveState']}, READY at {uptime_s:.0f} s by the system's clock; service {peak} MiB at most, system "
        f"{used[0]} of {used[1]} MiB; restarts {ready['NRestarts']}"
    )


def _refusal(bench: Bench) -> str | None:
    said = bench.login.run(
        "journalctl --unit=edge.service --boot --output=cat --no-pager | grep -i certificate | tail -n 1 || true"
    )
    return said.strip() or None


def _of_2020(bench: Bench, since: int) -> list[str] | None:
    found = [line for line in _events(bench)[since:] if json.loads(line).get("time", {}).get("wall_ms", 1e15) < 1.6e12]
    return found or None


def _events(bench: Bench) -> list[str]:
    return bench.broker.events.read_text(encoding="utf-8").splitlines() if bench.broker.events.exists() else []


def _properties(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)

"""Tells a running system of new files, and stops what is about to lose its unit. Nothing here in an image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from edge.host.commands import Done, run

Run = Callable[[Sequence[str]], Done]

_UNITS = Path("/etc/systemd/system")


def is_running_systemd(root: Path) -> bool:
    """Whether the files under ``root`` are those of the system that runs now, under systemd (sd_booted(3))."""
    return root == Path("/") and Path("/run/systemd/system").is_dir()


def announce(ask: Run = run) -> list[str]:
    """After files were put in place: users, folders, device rules, units. What went wrong, in sentences."""
    return _all(
        ask,
        (
            ("systemd-sysusers",),
            ("systemd-tmpfiles", "--create", "/etc/tmpfiles.d/edge.conf"),
            ("udevadm", "control", "--reload"),
            ("udevadm", "trigger", "--action=change", "--subsystem-match=usb", "--subsystem-match=apex"),
            ("systemctl", "daemon-reload"),
        ),
    )


def withdraw(names: Sequence[str], ask: Run = run, *, folder: Path = _UNITS) -> list[str]:
    """Before units are removed: they are stopped and switched off. What went wrong, in sentences."""
    units = [name for name in names if name.endswith(".service") and (folder / name).exists()]
    return _all(ask, [("systemctl", "disable", "--now", unit) for unit in units])


def forget(ask: Run = run) -> list[str]:
    """After files were removed."""
    return _all(ask, (("udevadm", "control", "--reload"), ("systemctl", "daemon-reload")))


def _all(ask: Run, commands: Sequence[Sequence[str]]) -> list[str]:
    failures = ((command, ask(command).trouble) for command in commands)
    return [f"`{' '.join(command)}`: {why}" for command, why in failures if why is not None]

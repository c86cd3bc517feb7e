"""Cameras and accelerators: what is attached, and what it lacks."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from edge.core.errors import ModelError
from edge.host.doctor.probes import accelerator, cameras, runtime
from edge.host.doctor.values import CameraFacts, Patient, State
from tests.host.doctor.patients import stick, system

LIBRARY = "usr/lib/aarch64-linux-gnu/libedgetpu.so.1"
PACKAGE = "Package: libedgetpu1-std\nStatus: install ok installed\nVersion: 16.0tf2.17.1-1\n\nPackage: zlib\n"


def judge(patient: Patient, *, why_not: str | None = None) -> tuple[State, str, str]:
    finding = accelerator.judge(patient, list(accelerator.find_devices(patient)), lambda: why_not)
    return finding.state, finding.found, finding.fix


def test_a_stick_on_a_fast_port_that_answers_is_right(tmp_path: Path) -> None:
    patient = system(tmp_path, stick("18d1:9302") | {LIBRARY: "", "var/lib/dpkg/status": PACKAGE})

    state, found, _ = judge(patient)

    assert state is State.OK
    assert "2-4 (18d1:9302, running, 5000 Mbit/s)" in found
    assert "libedgetpu.so.1 of the package libedgetpu1-std 16.0tf2.17.1-1" in found


def test_a_stick_on_a_slow_port_works_slowly(tmp_path: Path) -> None:
    state, found, fix = judge(system(tmp_path, stick("1a6e:089a", speed="480") | {LIBRARY: ""}))

    assert state is State.WARNING
    assert "waiting for its firmware" in found
    assert "blue port" in fix


@pytest.mark.parametrize(("wanted", "state"), [("edgetpu:usb", State.BROKEN), ("auto", State.WARNING)])
def test_a_stick_without_its_library_is_as_bad_as_what_was_asked_for(tmp_path: Path, wanted: str, state: State) -> None:
    why = "the Edge TPU library can't be loaded; install the package libedgetpu1-std"

    told = judge(system(tmp_path, stick("1a6e:089a"), accelerator=wanted), why_not=why)

    assert told[0] is state
    assert "no libedgetpu.so.1; the Edge TPU library can't be loaded" in told[1]
    assert told[2] == "install the package libedgetpu1-std"


def test_a_stick_that_this_user_may_not_open_is_told_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)

    state, found, fix = judge(system(tmp_path, stick("1a6e:089a"), accelerator="edgetpu"), why_not="silence")

    assert state is State.BROKEN
    assert "dev/bus/usb/002/007" in found
    assert "plugdev" in fix


def test_none_is_missed_only_where_one_is_asked_for(tmp_path: Path) -> None:
    assert judge(system(tmp_path, {}, accelerator="edgetpu"))[0] is State.BROKEN
    assert judge(system(tmp_path, {}))[0] is State.OK
    assert judge(system(tmp_path, stick("1a6e:089a"), accelerator="cpu"))[0] is State.OK


def test_a_card_on_pci_is_seen(tmp_path: Path) -> None:
    assert "a PCI card at apex_0" in judge(system(tmp_path, {"dev/apex_0": ""}))[1]


def test_a_runtime_that_refuses_says_why_and_what_to_do() -> None:
    class Refusing:
        def run(self, file: Path, *, library: str = "") -> None:
            raise ModelError("the runtime crashed on it (SIGILL); the file is damaged or needs another runtime")

    finding = runtime.judge(Patient(), Refusing())  # type: ignore[arg-type]

    assert (finding.state, finding.found) == (State.BROKEN, "the runtime crashed on it (SIGILL)")
    assert finding.fix == "the file is damaged or needs another runtime"


def test_an_unknown_model_is_a_finding() -> None:
    (finding,) = runtime.look(Patient(model="no-such-model"))

    assert finding.state is State.BROKEN
    assert "no-such-model" in finding.found


def test_a_usb_camera_that_is_away_is_told_with_those_that_are_there(tmp_path: Path) -> None:
    patient = system(tmp_path, {"sys/class/video4linux/video2/name": "HD Webcam\n"})

    finding = cameras.judge_v4l2(patient, "camera:yard", Path("/dev/video0"))

    assert finding.state is State.BROKEN
    assert "the kernel shows /dev/video2 (HD Webcam)" in finding.found


def test_a_camera_of_another_group_is_told_with_that_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = system(tmp_path, {"dev/video0": ""})
    monkeypatch.setattr(os, "access", lambda *_: False)

    assert "usermod -aG" in cameras.judge_v4l2(patient, "camera:yard", Path("/dev/video0")).fix


def test_a_ribbon_camera_is_counted_and_its_library_asked_for() -> None:
    def none() -> list[str]:
        raise ImportError("No module named 'libcamera'")

    assert cameras.judge_csi("camera:yard", 0, lambda: ["imx708"]).found == "picamera2:0 is imx708"
    assert "ribbon cable" in cameras.judge_csi("camera:yard", 1, lambda: ["imx708"]).fix
    assert "python3-picamera2" in cameras.judge_csi("camera:yard", 0, none).fix


def test_a_stream_is_reached_or_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as camera:
        port = camera.getsockname()[1]
        here = cameras.judge(Patient(), CameraFacts("a", "stream", f"rtsp://127.0.0.1:{port}/live?x=1"))
    away = cameras.judge(Patient(), CameraFacts("b", "stream", f"rtsp://127.0.0.1:{port}/live"))

    assert (here.name, here.state) == ("camera:a", State.OK)
    assert (away.state, away.found) == (
        State.BROKEN,
        f"127.0.0.1:{port}: nothing listens there: is the broker running, is the port right?".replace(
            "the broker", "it"
        ),
    )


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("rtsp://camera.lan/live", ("camera.lan", 554)),
        ("https://10.0.0.5/stream?token=1", ("10.0.0.5", 443)),
        ("rtsp://[fe80::1]:8554/", ("fe80::1", 8554)),
        ("http://camera.lan:8080?x=1", ("camera.lan", 8080)),
    ],
)
def test_where_a_stream_comes_from(address: str, place: tuple[str, int]) -> None:
    assert cameras.host_and_port(address) == place


def test_recordings_are_looked_for(tmp_path: Path) -> None:
    (tmp_path / "walk.mp4").touch()

    there = cameras.judge(Patient(), CameraFacts("a", "video", str(tmp_path / "walk.mp4")))
    away = cameras.judge(Patient(), CameraFacts("a", "pictures", str(tmp_path / "none")))

    assert (there.state, away.state) == (State.OK, State.BROKEN)


def test_without_a_configuration_what_could_be_used_is_listed(tmp_path: Path) -> None:
    patient = system(tmp_path, {"sys/class/video4linux/video0/name": "HD Webcam\n"})

    (finding,) = cameras.look(patient)

    assert "/dev/video0 (HD Webcam)" in finding.found

"""An accelerator that is lost, hangs, crashes, lies and comes back under a running service."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.accelerator import build_library
from tests.brokers import Brokers, brokers_in
from tests.faults.accelerated import Site

pytestmark = [pytest.mark.slow, pytest.mark.broker]

_LONGEST_GAP_MS = 3000
MakeSite = Callable[..., Site]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_library(tmp_path_factory.mktemp("library"))


@pytest.fixture
def brokers(tmp_path: Path) -> Iterator[Brokers]:
    yield from brokers_in(tmp_path)


@pytest.fixture
def make_site(tmp_path: Path, brokers: Brokers) -> Iterator[MakeSite]:
    made: list[Site] = []

    def make(library: Path | None, **camera: object) -> Site:
        made.append(Site(tmp_path, brokers, library, camera=camera))
        return made[-1]

    yield make
    for site in made:
        site.stop()


@pytest.mark.parametrize("fault", ["lost", "hung", "crash"])
def test_the_cpu_takes_over_within_three_seconds_and_gives_back(library: Path, make_site: MakeSite, fault: str) -> None:
    reason = "accelerator_" + {"crash": "crashed"}.get(fault, fault)
    absence = {"label": "vehicle", "when": "absence", "seconds": 8}
    # what the detector takes for a vehicle in the made-up scene is never this sure
    site = make_site(library, rules={"empty": absence}, thresholds={"vehicle": 0.99})
    site.start()
    first = site.detections("edgetpu")

    site.accelerator.be(fault)
    gap_ms = site.gap_ms(first, "cpu")
    site.accelerator.be("well")

    assert gap_ms < _LONGEST_GAP_MS
    lost = site.event("accelerator_lost")
    assert (lost["backend"], lost["reason"]) == ("edgetpu", reason)
    absent = site.event("absence")
    waited_ms = absent["time"]["monotonic_ms"] - first["time"]["monotonic_ms"]
    assert 7000 < waited_ms < 8000 + _LONGEST_GAP_MS  # the timer has gone on
    back = site.event("accelerator_back")
    assert back["epoch"] == lost["epoch"]  # the same service all along
    site.detections("edgetpu")
    site.health(reasons=[], backend="edgetpu", accelerator="in_use")
    assert site.logged(f"{reason}:") == 1
    assert site.logged("works again") == 1


def test_a_change_is_told_in_health_and_info(library: Path, make_site: MakeSite) -> None:
    site = make_site(library)
    site.start()
    site.info("edgetpu")

    site.accelerator.be("lost")

    assert site.info("cpu")["model"]["name"] == "slow"
    told = site.health(backend="cpu")
    assert told["state"] == "degraded"
    assert told["accelerator"] in ("away", "on_trial")
    assert told["reasons"][0] in ("accelerator_lost", "accelerator_absent")


def test_garbage_after_a_reset_is_never_published(library: Path, make_site: MakeSite) -> None:
    site = make_site(library)
    site.start()
    site.detections("edgetpu")
    site.accelerator.be("lost")
    site.detections("cpu")

    site.accelerator.be("garbage")
    told = site.health(reasons=["accelerator_garbage"])

    assert told["backend"] == "cpu"
    assert site.logged("works again") == 0


def test_one_that_lies_from_the_start_is_never_used(library: Path, make_site: MakeSite) -> None:
    site = make_site(library)
    site.accelerator.be("silent")
    site.start()

    told = site.health(reasons=["accelerator_garbage"], backend="cpu")

    assert told["accelerator"] in ("away", "on_trial")
    site.detections("cpu")


@pytest.mark.parametrize("fault", ["absent", "crash_at_open"])
def test_without_a_device_or_with_a_library_of_another_age_the_cpu_starts(
    library: Path, make_site: MakeSite, fault: str
) -> None:
    site = make_site(library)
    site.accelerator.be(fault)
    site.start()

    site.detections("cpu")

    site.health(reasons=["accelerator_" + {"crash_at_open": "crashed"}.get(fault, fault)], backend="cpu")


def test_without_the_real_library_the_cpu_starts_and_the_reason_is_told(make_site: MakeSite) -> None:
    site = make_site(None)
    site.start()

    site.detections("cpu")

    site.health(reasons=["accelerator_absent"], accelerator="away")
    assert site.logged("install the package libedgetpu1-std") >= 1

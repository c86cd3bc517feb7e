"""The lock files pin what pyproject.toml asks for, for both Pythons and both architectures, and say nothing else."""

from __future__ import annotations

import re

import pytest
from packaging.requirements import Requirement
from packaging.tags import Tag, parse_tag

from tools.packaging.lock import Locked, read_lock, write_lock
from tools.packaging.locking import wanted
from tools.packaging.targets import MACHINES, PYTHONS, Target
from tools.packaging.wheels import locked_wheels

TARGETS = [Target(python, arch) for arch in MACHINES for python in PYTHONS]


def target_name(target: Target) -> str:
    return f"{target.python}-{target.arch}"


@pytest.mark.parametrize("target", TARGETS, ids=target_name)
def test_every_requirement_is_locked_to_a_version_it_allows(target: Target) -> None:
    locked = {wheel.name: wheel.version for wheel in locked_wheels(target)}

    for text in wanted(target):
        requirement = Requirement(text)
        assert requirement.specifier.contains(locked[requirement.name.lower()]), text


@pytest.mark.parametrize("target", TARGETS, ids=target_name)
def test_every_wheel_is_one_that_the_target_can_load(target: Target) -> None:
    machine, series = MACHINES[target.arch], f"cp{target.python.replace('.', '')}"

    for wheel in locked_wheels(target):
        tags = parse_tag("-".join(wheel.wheel.removesuffix(".whl").split("-")[-3:]))
        assert any(_loads(tag, series, machine) for tag in tags), wheel.wheel


@pytest.mark.parametrize("python", PYTHONS)
def test_both_architectures_have_the_same_versions(python: str) -> None:
    arm, amd = ({w.name: w.version for w in locked_wheels(Target(python, arch))} for arch in ("arm64", "amd64"))

    assert arm == amd


@pytest.mark.parametrize("target", TARGETS, ids=target_name)
def test_no_address_stands_in_a_lock_file(target: Target) -> None:
    assert re.search(r"://|\.org|\.com|\.io", target.lock_file.read_text(encoding="utf-8")) is None


def test_what_is_written_is_read_again() -> None:
    wheels = [Locked("numpy", "2.4.6", "a" * 64, "numpy-2.4.6-cp313-cp313-manylinux_2_28_aarch64.whl")]

    assert read_lock(write_lock("3.13", "arm64", wheels), "x.lock") == tuple(wheels)


def test_a_wheel_without_its_hash_is_refused_with_its_line() -> None:
    with pytest.raises(ValueError, match=r"x\.lock:2: expected `name==version --hash"):
        read_lock("# head\nnumpy==2.4.6\n", "x.lock")


def _loads(tag: Tag, series: str, machine: str) -> bool:
    interpreter = tag.interpreter in (series, "py3") or (tag.abi == "abi3" and tag.interpreter.startswith("cp3"))
    return interpreter and (tag.platform == "any" or tag.platform.endswith(machine))

"""What is wrong between keys that are good by themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from edge.config.problems import Problem, join_key
from edge.config.rule_checks import check_rule
from edge.config.texts import device_of, is_loopback, source_kind
from edge.config.values import Broker, Camera, Config


def cross_check(config: Config, lines: Mapping[str, int]) -> Iterator[Problem]:
    """Problems without their line. ``lines`` names the keys that stand in the file, also those that can't be read."""
    if not any(key.startswith("cameras.") for key in lines):
        yield Problem(
            "cameras", "expected at least one camera, found none; add `cameras: {yard: {source: picamera2:0}}`"
        )
    yield from _broker(config.broker, lines)
    yield from _shared_devices(config)
    below = _names_below(lines)
    for name, camera in config.cameras.items():
        yield from _camera(camera, join_key("cameras", name), below)


def _broker(broker: Broker, lines: Mapping[str, int]) -> Iterator[Problem]:
    if not is_loopback(broker.host) and "broker.tls" not in lines:
        yield Problem(
            "broker.host",
            f"plain text goes to this machine alone, and {broker.host} is another one; add "
            "`tls: {ca: ca.pem}` with the broker's certificate authority (`tls: {}` trusts the system's)",
        )
    if "broker.password" in lines and "broker.username" not in lines:
        yield Problem("broker.password", "a password goes with a user name; add `username: NAME`")
    given = {key for key in ("certificate", "key") if f"broker.tls.{key}" in lines}
    if len(given) == 1:
        missing = ({"certificate", "key"} - given).pop()
        yield Problem("broker.tls", f"a client certificate is two things; add {missing}")


def _shared_devices(config: Config) -> Iterator[Problem]:
    owners: dict[str, str] = {}
    for name, camera in config.cameras.items():
        device = device_of(camera.source)
        if device is not None and (owner := owners.setdefault(device, name)) != name:
            message = f"the camera {owner!r} holds {device} already; one device serves one camera"
            yield Problem(join_key(join_key("cameras", name), "source"), message)


def _camera(camera: Camera, key: str, below: Mapping[str, Mapping[str, None]]) -> Iterator[Problem]:
    given = below.get(key, {})
    if "password" in given and "username" not in given:
        yield Problem(f"{key}.password", "a password goes with a user name; add `username: NAME`")
    if "username" in given and source_kind(camera.source) != "stream":
        yield Problem(f"{key}.username", "only streams (rtsp://, http://) have a login; take it out")
    if camera.regions.enabled and camera.tiles != "1x1":
        yield Problem(f"{key}.regions", f"tiles {camera.tiles} look closer everywhere already; take one of them out")
    if camera.labels is not None:
        yield from _labels(camera.labels, f"{key}.labels")
    yield from _lines(camera, key)
    yield from _sizes(camera, key)
    zones, drawn = below.get(f"{key}.zones", {}), below.get(f"{key}.lines", {})
    for name, rule in camera.rules.items():
        here = join_key(f"{key}.rules", name)
        yield from check_rule(rule, camera, here, zones=zones, lines=drawn, given=below.get(here, {}).keys())


def _labels(labels: tuple[str, ...], key: str) -> Iterator[Problem]:
    if not labels:
        yield Problem(key, "an empty list lets nothing through; name labels, or take the key out to let all through")
    for label in sorted(label for label, times in Counter(labels).items() if times > 1):
        yield Problem(key, f"{label!r} stands in it twice; leave one out")


def _lines(camera: Camera, key: str) -> Iterator[Problem]:
    for name, line in camera.lines.items():
        if line.start == line.end:
            yield Problem(join_key(f"{key}.lines", name), "the line begins and ends at one point; move one of them")


def _sizes(camera: Camera, key: str) -> Iterator[Problem]:
    for label, sizes in camera.sizes.items():
        if sizes.min_area >= sizes.max_area:
            message = f"nothing is larger than {sizes.min_area:g} and smaller than {sizes.max_area:g}; swap the two"
            yield Problem(join_key(f"{key}.sizes", label), message)


def _names_below(lines: Mapping[str, int]) -> dict[str, dict[str, None]]:
    """Key -> the names that stand below it in the file (in order), also those whose value can't be read."""
    below: dict[str, dict[str, None]] = {}
    for key in lines:
        parent, _, name = key.rpartition(".")
        below.setdefault(parent, {})[name] = None
    return below

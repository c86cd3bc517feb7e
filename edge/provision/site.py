"""The site file, read and checked like edge.yaml: every mistake at once, each with its line and the way out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edge.config.checking import read_section
from edge.config.cross_checks import cross_check
from edge.config.load import line_of, read_bounded
from edge.config.nodes import Mapping, Scalar
from edge.config.problems import BadConfigError, Problem
from edge.config.texts import names_file, source_kind
from edge.config.values import Config, SecretRef
from edge.config.yaml_reader import read_yaml
from edge.core.home import expand_home
from edge.provision.table import Row, fill_in, lay_over
from edge.provision.values import Site, package_fault

_EDGE = "edge."


@dataclass(frozen=True, slots=True)
class CardPlan:
    """A site file that is good, for one card.

    configuration : the section ``edge`` as it was written
    folder : from which relative paths count
    """

    site: Site
    configuration: Mapping
    folder: Path

    @property
    def device(self) -> str:
        return self.site.edge.device

    def resolve(self, path: Path | str) -> Path:
        return self.folder / expand_home(path)


def load_site(path: Path, row: Row | None = None) -> CardPlan:
    """The plan of one card: the site file with a table's row over it.

    Raises
    ------
    BadConfigError
        With every mistake, also of the files that it names.
    ConfigError
        If the file can't be read at all.
    """
    file = str(path) if row is None else f"{path} for {row.device}"
    root = read_yaml(read_bounded(path), str(path))
    root = root if row is None else lay_over(root, row)
    device = _device(root)
    root = root if device is None else _filled(root, device)
    site, lines, problems = read_section(Site, root)
    if site is not None and not problems:
        problems = [Problem(p.key, p.message, line_of(p.key, lines)) for p in _cross_check(site, lines, path.parent)]
    if site is None or problems:
        raise BadConfigError(file, problems)
    folder = path.absolute().parent
    if site.package is not None:
        site = msgspec.structs.replace(site, package=folder / expand_home(site.package))
    return CardPlan(site, _section(root, "edge"), folder)


def secrets_of(site: Site) -> Iterator[tuple[str, SecretRef]]:
    """The keys of all secrets that the site file refers to."""
    config = site.edge
    if site.wifi is not None and site.wifi.password is not None:
        yield "wifi.password", site.wifi.password
    if site.login.password_hash is not None:
        yield "login.password_hash", site.login.password_hash
    if config.broker.password is not None:
        yield "edge.broker.password", config.broker.password
    if config.broker.tls is not None and isinstance(config.broker.tls.key, SecretRef):
        yield "edge.broker.tls.key", config.broker.tls.key
    for name, camera in config.cameras.items():
        if camera.password is not None:
            yield f"edge.cameras.{name}.password", camera.password


def _cross_check(site: Site, lines: dict[str, int], folder: Path) -> Iterator[Problem]:
    if "edge.device" not in lines:
        yield Problem(_EDGE + "device", "this key is missing; a card needs a name of its own: add `device: gate`")
    if not site.login.ssh_keys and site.login.password_hash is None:
        yield Problem("login", "nobody could log in; add ssh_keys, or password_hash")
    fault = _package_fault(site, folder)
    if fault is not None:
        yield Problem("package", fault)
    for key, secret in secrets_of(site):
        if secret.file is None:
            yield Problem(key, "a new card has no credentials; name the file on this machine: {file: PATH}")
    own = {key.removeprefix(_EDGE): line for key, line in lines.items() if key.startswith(_EDGE)}
    for problem in cross_check(site.edge, own):
        yield Problem(_EDGE + problem.key, problem.message)
    yield from _carried(site.edge)


def _package_fault(site: Site, folder: Path) -> str | None:
    if site.package is not None:
        return package_fault(folder / expand_home(site.package))
    if site.raspberry_pi_os == 13:
        return None
    return "this key is missing; Raspberry Pi OS 12 has no edge inside: add `package: edge_VERSION_arm64.deb`"


def _carried(config: Config) -> Iterator[Problem]:
    """What would have to lie on the device already."""
    for name, camera in config.cameras.items():
        if source_kind(camera.source) == "path":
            message = "a new card has no recordings; name a camera or a stream"
            yield Problem(f"edge.cameras.{name}.source", message)
    if names_file(config.model) and not config.model.endswith(".tflite"):
        yield Problem("edge.model", "expected a model card's name or a .tflite file, which goes onto the card")


def _device(root: Mapping) -> str | None:
    node = next((value for key, value in _section(root, "edge").entries if key.text == "device"), None)
    return node.text if isinstance(node, Scalar) else None


def _section(root: Mapping, name: str) -> Mapping:
    found = next((value for key, value in root.entries if key.text == name), None)
    return found if isinstance(found, Mapping) else Mapping((), root.line)


def _filled(root: Mapping, device: str) -> Mapping:
    filled = fill_in(root, device)
    return filled if isinstance(filled, Mapping) else root

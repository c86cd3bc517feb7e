"""What the configuration names on this machine, and where it lies on the device: certificates, a model, secrets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from edge.config.nodes import Mapping, Node, Scalar
from edge.config.problems import BadConfigError, Problem
from edge.config.secret_files import read_secret, secret_path
from edge.config.texts import names_file
from edge.config.values import SecretRef, Tls
from edge.core.errors import ConfigError
from edge.provision.certificates import authority_fault, pair_fault
from edge.provision.site import CardPlan

ETC = "/etc/edge"
MAX_FILE_BYTES = 64 * 1024 * 1024


@dataclass(slots=True)
class Carried:
    """What goes along with edge.yaml.

    configuration : as it will stand on the device, every path and secret where it will lie there
    files : name in /etc/edge -> content
    credentials : name as in LoadCredential= -> content; secret
    """

    configuration: Mapping
    files: dict[str, bytes] = field(default_factory=dict)
    credentials: dict[str, bytes] = field(default_factory=dict)


def gather(plan: CardPlan) -> Carried:
    """Raises BadConfigError with everything that is missing, unreadable or does not belong together."""
    carried = Carried(plan.configuration)
    problems: list[Problem] = []
    for gathered in (_tls, _passwords, _model):
        problems += gathered(plan, carried)
    if problems:
        raise BadConfigError(f"card {plan.device}", problems)
    return carried


def private_text(plan: CardPlan, secret: SecretRef, key: str) -> str:
    """A secret of the site file; raises ConfigError without it in the message."""
    return read_secret(_here(plan, secret), key)


def _tls(plan: CardPlan, carried: Carried) -> Iterator[Problem]:
    tls = plan.site.edge.broker.tls
    if tls is None:
        return
    key = "edge.broker.tls"
    if tls.ca is not None:
        fault = authority_fault(plan.resolve(tls.ca))
        if fault:
            yield Problem(f"{key}.ca", fault)
        else:
            _carry(carried, plan.resolve(tls.ca), "ca.pem", ("broker", "tls", "ca"))
    if tls.certificate is not None and tls.key is not None:
        yield from _pair(plan, carried, tls)


def _pair(plan: CardPlan, carried: Carried, tls: Tls) -> Iterator[Problem]:
    certificate = plan.resolve(tls.certificate or "")
    try:
        reference = tls.key if isinstance(tls.key, SecretRef) else SecretRef(file=tls.key)
        private = secret_path(_here(plan, reference), "edge.broker.tls.key")
    except ConfigError as error:
        yield _problem("edge.broker.tls.key", error)
        return
    fault = pair_fault(certificate, private)
    if fault:
        yield Problem("edge.broker.tls.certificate", fault)
        return
    _carry(carried, certificate, "certificate.pem", ("broker", "tls", "certificate"))
    _entrust(carried, private.read_bytes(), "mqtt-key", ("broker", "tls", "key"))


def _passwords(plan: CardPlan, carried: Carried) -> Iterator[Problem]:
    config = plan.site.edge
    wanted: list[tuple[tuple[str, ...], str, SecretRef | None]] = [
        (("broker", "password"), "mqtt-password", config.broker.password)
    ]
    wanted += [(("cameras", name, "password"), f"camera-{name}", c.password) for name, c in config.cameras.items()]
    for path, name, secret in wanted:
        if secret is None:
            continue
        key = ".".join(("edge", *path))
        try:
            _entrust(carried, private_text(plan, secret, key).encode(), name, path)
        except ConfigError as error:
            yield _problem(key, error)


def _model(plan: CardPlan, carried: Carried) -> Iterator[Problem]:
    model = plan.site.edge.model
    if not names_file(model):
        return
    path = plan.resolve(model)
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            yield Problem("edge.model", f"expected at most {MAX_FILE_BYTES >> 20} MiB, found more in {path}")
            return
        _carry(carried, path, path.name, ("model",))
        card = path.with_suffix(".yaml")
        if card.is_file() and card.name == "edge.yaml":
            yield Problem("edge.model", f"{card} would lie where the configuration does; rename it and {path.name}")
        elif card.is_file():
            carried.files[card.name] = card.read_bytes()
    except OSError as error:
        yield Problem("edge.model", f"{path} can't be read: {error.strerror}; check the path")


def _carry(carried: Carried, path: Path, name: str, key: tuple[str, ...]) -> None:
    carried.files[name] = path.read_bytes()
    carried.configuration = _put(carried.configuration, key, Scalar(f"{ETC}/{name}", 1))


def _entrust(carried: Carried, content: bytes, name: str, key: tuple[str, ...]) -> None:
    carried.credentials[name] = content
    reference = Mapping(((Scalar("credential", 1), Scalar(name, 1)),), 1)
    carried.configuration = _put(carried.configuration, key, reference)


def _put(section: Mapping, key: tuple[str, ...], value: Node) -> Mapping:
    """The section with another value at a key that is there."""
    name, *rest = key
    entries = []
    for entry, old in section.entries:
        new = old
        if entry.text == name:
            new = _put(old, tuple(rest), value) if rest and isinstance(old, Mapping) else value
        entries.append((entry, new))
    return Mapping(tuple(entries), section.line, section.column)


def _here(plan: CardPlan, secret: SecretRef) -> SecretRef:
    return SecretRef(file=plan.resolve(secret.file or ""))


def _problem(key: str, error: ConfigError) -> Problem:
    return Problem(key, str(error).removeprefix(f"{key}: "))

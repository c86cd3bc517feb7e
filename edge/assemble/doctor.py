"""A configuration to a patient: what doctor looks at, and what the configuration itself has to be told of."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.assemble.outbox import outbox_path
from edge.capture.spec import parse_source
from edge.config.load import find_config, load_config
from edge.config.problems import BadConfigError
from edge.config.secret_files import CREDENTIALS, check_private, read_secret, secret_path
from edge.config.values import Config, SecretRef
from edge.core.errors import ConfigError
from edge.host.doctor.values import BrokerFacts, CameraFacts, Finding, Patient, broken, ok, warning

# module -> seconds: a slow card, a cold cache and a Raspberry Pi Zero are no reason to call a thing broken
_PROBES = "edge.host.doctor.probes"
PROBES = {
    f"{_PROBES}.versions": 10.0,
    f"{_PROBES}.runtime": 60.0,
    f"{_PROBES}.accelerator": 30.0,
    f"{_PROBES}.cameras": 30.0,
    f"{_PROBES}.broker": 30.0,
    f"{_PROBES}.clock": 10.0,
    f"{_PROBES}.power": 10.0,
    f"{_PROBES}.memory": 10.0,
    f"{_PROBES}.disk": 20.0,
    f"{_PROBES}.service": 20.0,
}
_SERVICE_CREDENTIALS = (Path("/run/credentials/edge.service"), Path("/run/credentials/edge-publisher.service"))


@dataclass(frozen=True, slots=True)
class Examination:
    """What is known before anything is asked."""

    patient: Patient
    findings: list[Finding]


def prepare(file: Path | None) -> Examination:
    """Read the configuration, as far as it can be read; never raises."""
    _borrow_credentials()
    try:
        path = find_config(file)
        config = load_config(path)
    except BadConfigError as error:
        fix = f"`edge check --config {file or path}` tells all mistakes"
        return Examination(Patient(), [broken("configuration", f"{path}: {len(error.problems)} mistake(s)", fix)])
    except ConfigError as error:
        judge = warning if file is None else broken
        found, _, fix = str(error).partition("; ")
        return Examination(Patient(), [judge("configuration", found, fix)])
    secrets, broker = _secrets(config)
    patient = Patient(
        device=config.device,
        model=str(config.model),
        accelerator=config.accelerator,
        cameras=tuple(_cameras(config)),
        broker=broker,
        outbox=_outbox(config),
    )
    return Examination(patient, [ok("configuration", f"{path} is well formed"), *secrets])


def _borrow_credentials() -> None:
    """As root, look with the credentials of the service that runs: what a person would have to copy otherwise."""
    if not os.environ.get(CREDENTIALS):
        found = next((folder for folder in _SERVICE_CREDENTIALS if os.access(folder, os.R_OK | os.X_OK)), None)
        if found is not None:
            os.environ[CREDENTIALS] = str(found)


def _secrets(config: Config) -> tuple[list[Finding], BrokerFacts | None]:
    """What is wrong with secrets, and how to connect; None where that can't be known."""
    findings = [
        finding
        for name, camera in config.cameras.items()
        if camera.password is not None
        and (finding := _judge_secret(camera.password, f"cameras.{name}.password")) is not None
    ]
    broker, tls = config.broker, config.broker.tls
    key = None if tls is None else tls.key
    wanted = [(broker.password, "broker.password"), (key, "broker.tls.key")]
    found = [_judge_secret(secret, purpose) for secret, purpose in wanted if secret is not None]
    bad = [finding for finding in found if finding is not None]
    if findings or bad:
        return [*findings, *bad], None if bad else _broker(config)
    return [ok("secrets", "closed to other users, or none needed")], _broker(config)


def _judge_secret(secret: SecretRef | Path, purpose: str) -> Finding | None:
    try:
        if isinstance(secret, Path):
            check_private(secret, purpose)
        else:
            secret_path(secret, purpose)
    except ConfigError as error:
        found, _, fix = str(error).partition("; ")
        if isinstance(secret, SecretRef) and secret.credential is not None:
            return warning("secrets", found, f"look as root while the service runs: `sudo edge doctor` ({fix})")
        return broken("secrets", found, fix)
    return None


def _broker(config: Config) -> BrokerFacts:
    """Raises nothing: the secrets were found to be in order."""
    broker, tls = config.broker, config.broker.tls
    key = None if tls is None else tls.key
    return BrokerFacts(
        host=broker.host,
        port=broker.port,
        is_tls=tls is not None,
        username=broker.username,
        password=None if broker.password is None else read_secret(broker.password, "broker.password"),
        ca=_text(None if tls is None else tls.ca),
        certificate=_text(None if tls is None else tls.certificate),
        key=_text(secret_path(key, "broker.tls.key") if isinstance(key, SecretRef) else key),
    )


def _cameras(config: Config) -> Iterator[CameraFacts]:
    for name, camera in config.cameras.items():
        try:
            spec = parse_source(camera.source, base=config.folder)
        except ConfigError:
            continue  # `edge check` tells it
        yield CameraFacts(name, spec.kind.value, spec.target)


def _outbox(config: Config) -> str | None:
    try:
        return str(outbox_path(config))
    except ConfigError:
        return "/var/lib/edge/outbox.db"  # where it would be, for the reason why it can't


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)

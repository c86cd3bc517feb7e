"""Relative paths in a configuration count from the folder of its file, not from where the command was started."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from edge.config.texts import names_file, source_kind
from edge.config.values import Broker, Camera, Config, Governor, SecretRef, Tls
from edge.core.home import expand_home


def resolve_paths(config: Config) -> Config:
    """The same configuration with absolute paths alone."""
    folder = config.folder
    return replace(
        config,
        model=_model(config.model, folder),
        broker=_broker(config.broker, folder),
        cameras={name: _camera(camera, folder) for name, camera in config.cameras.items()},
        governor=_governor(config.governor, folder),
        outbox=replace(config.outbox, path=config.outbox.path and _resolve(folder, config.outbox.path)),
    )


def _resolve(folder: Path, path: Path | str) -> Path:
    return folder / expand_home(path)


def _model(model: str, folder: Path) -> str:
    return str(_resolve(folder, model)) if names_file(model) else model


def _governor(governor: Governor, folder: Path) -> Governor:
    return replace(governor, smaller_model=_model(governor.smaller_model, folder))


def _broker(broker: Broker, folder: Path) -> Broker:
    tls = broker.tls and _tls(broker.tls, folder)
    return replace(broker, tls=tls, password=_secret(broker.password, folder))


def _tls(tls: Tls, folder: Path) -> Tls:
    key = _resolve(folder, tls.key) if isinstance(tls.key, Path) else _secret(tls.key, folder)
    return replace(
        tls,
        ca=tls.ca and _resolve(folder, tls.ca),
        certificate=tls.certificate and _resolve(folder, tls.certificate),
        key=key,
    )


def _camera(camera: Camera, folder: Path) -> Camera:
    is_path = source_kind(camera.source) == "path"
    source = str(_resolve(folder, camera.source)) if is_path else camera.source
    return replace(camera, source=source, password=_secret(camera.password, folder))


def _secret(secret: SecretRef | None, folder: Path) -> SecretRef | None:
    if secret is None or secret.file is None:
        return secret
    return replace(secret, file=_resolve(folder, secret.file))

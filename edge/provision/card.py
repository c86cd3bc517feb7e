"""Everything that goes onto one card's boot partition, as paths and contents: no disk is touched here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.config.load import parse_config
from edge.core.errors import ConfigError
from edge.provision.carried import Carried, gather, private_text
from edge.provision.cloud_init import meta_data, user_data, yaml_document
from edge.provision.network import netplan, nm_connection, wifi_secret
from edge.provision.site import CardPlan
from edge.provision.yaml_text import yaml_text

_TEMPLATES = Path(__file__).resolve().parent / "templates"
_WAITING = "not started yet: put the card into the Raspberry Pi and give it a few minutes\r\n"
_KERNEL_WORDS = (
    " systemd.run=/boot/firmware/firstrun.sh systemd.run_success_action=reboot systemd.unit=kernel-command-line.target"
)
_HASH = ("$6$", "$5$", "$y$")  # SHA-512, SHA-256, yescrypt


@dataclass(frozen=True, slots=True)
class CardFile:
    """One file; ``path`` counts from the root of the boot partition."""

    path: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Card:
    """One card.

    package : copied, not read; none for a card that has edge inside
    kernel_words : added to the one line of cmdline.txt
    """

    device: str
    files: tuple[CardFile, ...]
    package: Path | None
    kernel_words: str


def make_card(plan: CardPlan, instance: str) -> Card:
    """Everything for one card.

    instance : new for every card that is made: the device sets itself up once for each. No digest of the content, by
        which secrets could be guessed.

    Raises BadConfigError or ConfigError for what the plan names and what is not good.
    """
    carried = gather(plan)
    configuration = yaml_text(carried.configuration).encode()
    parse_config(configuration, Path("edge.yaml"))
    password_hash = _password_hash(plan)
    secret = _wifi_secret(plan)
    files = [*_common(plan, carried, configuration)]
    if plan.site.raspberry_pi_os == 13:
        files += _for_cloud_init(plan, password_hash, secret, instance)
        words = ""
    else:
        files += _for_firstrun(plan, password_hash, secret)
        words = _KERNEL_WORDS
    return Card(plan.device, tuple(files), plan.site.package, words)


def _common(plan: CardPlan, carried: Carried, configuration: bytes) -> Iterator[CardFile]:
    yield CardFile("edge/edge.yaml", configuration)
    for name, content in sorted(carried.files.items()):
        yield CardFile(f"edge/etc/{name}", content)
    for name, content in sorted(carried.credentials.items()):
        yield CardFile(f"edge/credentials/{name}", content)
    if carried.credentials:
        lines = [f"LoadCredential={name}:/etc/edge/credentials/{name}" for name in sorted(carried.credentials)]
        yield CardFile("edge/credentials.conf", "\n".join(["[Service]", *lines, ""]).encode())
    if plan.site.time_servers:
        text = f"[Time]\nNTP={' '.join(plan.site.time_servers)}\n"
        yield CardFile("edge/timesyncd.conf", text.encode())
    for name in ("setup.sh", "report.sh", "edge-report.service", "edge-report.timer"):
        yield CardFile(f"edge/{name}", _template(name, DEVICE=plan.device))
    yield CardFile("edge-status.txt", _WAITING.encode())


def _for_cloud_init(plan: CardPlan, password_hash: str | None, secret: str | None, instance: str) -> Iterator[CardFile]:
    yield CardFile("meta-data", meta_data(instance).encode())
    yield CardFile("user-data", user_data(plan.site, password_hash).encode())
    yield CardFile("network-config", yaml_document(netplan(plan.site.wifi, secret)).encode())
    # What the set-up leaves in their place: cloud-init finds the same instance, and nobody a secret.
    if password_hash is not None:
        yield CardFile("edge/clean/user-data", user_data(plan.site, None).encode())
    if secret is not None:
        yield CardFile("edge/clean/network-config", yaml_document(netplan(plan.site.wifi, None)).encode())


def _for_firstrun(plan: CardPlan, password_hash: str | None, secret: str | None) -> Iterator[CardFile]:
    site = plan.site
    values = {"DEVICE": plan.device, "USER": site.login.name, "TIMEZONE": site.timezone or ""}
    yield CardFile("firstrun.sh", _template("firstrun.sh", COUNTRY=site.wifi.country if site.wifi else "", **values))
    if site.login.ssh_keys:
        yield CardFile("edge/authorized_keys", "".join(f"{key}\n" for key in site.login.ssh_keys).encode())
    if password_hash is not None:
        yield CardFile("edge/first/password-hash", f"{password_hash}\n".encode())
    if site.wifi is not None:
        yield CardFile("edge/first/edge-wifi.nmconnection", nm_connection(site.wifi, secret).encode())


def _password_hash(plan: CardPlan) -> str | None:
    reference = plan.site.login.password_hash
    if reference is None:
        return None
    text = private_text(plan, reference, "login.password_hash").strip()
    if not text.startswith(_HASH) or not text.isprintable() or " " in text:
        raise ConfigError("login.password_hash: expected what `openssl passwd -6` prints, found something else")
    return text


def _wifi_secret(plan: CardPlan) -> str | None:
    wifi = plan.site.wifi
    if wifi is None or wifi.password is None:
        return None
    return wifi_secret(wifi, private_text(plan, wifi.password, "wifi.password"))


def _template(name: str, **values: str) -> bytes:
    text = (_TEMPLATES / name).read_text(encoding="utf-8")
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    return text.encode()

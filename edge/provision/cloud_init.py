"""The three files by which cloud-init of Raspberry Pi OS 13 sets a device up (data source NoCloud)."""

from __future__ import annotations

from typing import Any

import yaml

from edge.provision.values import Site

SETUP = "/boot/firmware/edge/setup.sh"
# Those of the first user that Raspberry Pi OS makes by itself; cloud-init makes the groups that are missing.
_GROUPS = "adm,dialout,audio,cdrom,users,sudo,video,games,plugdev,input,gpio,spi,i2c,netdev,render"


def user_data(site: Site, password_hash: str | None) -> str:
    """The cloud-config. Without the hash it is the copy that stays on the card."""
    document: dict[str, Any] = {
        "hostname": site.edge.device,
        "manage_etc_hosts": True,
        "users": [_user(site, password_hash)],
        "ssh_pwauth": not site.login.ssh_keys,
        "bootcmd": [["sh", SETUP, "later"]],
        "runcmd": [["systemctl", "enable", "--now", "ssh"], ["sh", SETUP]],
    }
    if site.timezone is not None:
        document["timezone"] = site.timezone
    return "#cloud-config\n" + yaml_document(document)


def meta_data(instance: str) -> str:
    """``instance`` is new for every content: a card that is provisioned again is set up again."""
    return yaml_document({"dsmode": "local", "instance-id": instance})


def yaml_document(document: dict[str, Any]) -> str:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=4096)


def _user(site: Site, password_hash: str | None) -> dict[str, Any]:
    user: dict[str, Any] = {
        "name": site.login.name,
        "groups": _GROUPS,
        "shell": "/bin/bash",
        "sudo": "ALL=(ALL) NOPASSWD:ALL",
        "lock_passwd": password_hash is None,
    }
    if site.login.ssh_keys:
        user["ssh_authorized_keys"] = list(site.login.ssh_keys)
    if password_hash is not None:
        user["passwd"] = password_hash
    return user

"""The wireless network, in the two languages that Raspberry Pi OS reads: netplan's (13) and NetworkManager's (12)."""

from __future__ import annotations

import hashlib
from typing import Any

from edge.core.errors import ConfigError
from edge.provision.values import Wifi


def wpa2_key(name: str, passphrase: str) -> str:
    """The 256-bit key of a WPA2 network in hexadecimal (IEEE 802.11, annex J.4): the passphrase stays off the card.

    >>> wpa2_key("IEEE", "password")
    'f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e'
    """
    return hashlib.pbkdf2_hmac("sha1", passphrase.encode(), name.encode(), 4096, 32).hex()


def wifi_secret(wifi: Wifi, passphrase: str | None) -> str | None:
    """What the card carries to join the network. WPA3 needs the passphrase itself. Raises ConfigError."""
    if passphrase is None:
        return None
    if not 8 <= len(passphrase.encode()) <= 63:
        raise ConfigError("wifi.password: expected 8 to 63 characters, found another number; check the file")
    return passphrase if wifi.security == "wpa3" else wpa2_key(wifi.name, passphrase)


def netplan(wifi: Wifi | None, secret: str | None) -> dict[str, Any]:
    """The content of network-config, version 2. Wired networks are taken as they come."""
    network: dict[str, Any] = {"version": 2, "ethernets": {"eth0": {"dhcp4": True, "optional": True}}}
    if wifi is not None:
        access_point: dict[str, Any] = {"hidden": True} if wifi.hidden else {}
        if secret is not None and wifi.security == "wpa3":
            access_point["auth"] = {"key-management": "sae", "password": secret}
        elif secret is not None:
            access_point["password"] = secret
        network["wifis"] = {
            "wlan0": {
                "dhcp4": True,
                "optional": True,
                "regulatory-domain": wifi.country,
                "access-points": {wifi.name: access_point},
            }
        }
    return {"network": network}


def nm_connection(wifi: Wifi, secret: str | None) -> str:
    """A keyfile for NetworkManager (nm-settings-keyfile(5)); the name stands in it as bytes, so that any is good."""
    name = "".join(f"{byte};" for byte in wifi.name.encode())
    lines = ["[connection]", "id=edge-wifi", "type=wifi", "interface-name=wlan0", "[wifi]", "mode=infrastructure"]
    lines += [f"ssid={name}", f"hidden={'true' if wifi.hidden else 'false'}"]
    if secret is not None:
        escaped = secret.replace("\\", "\\\\")
        lines += ["[wifi-security]", f"key-mgmt={'sae' if wifi.security == 'wpa3' else 'wpa-psk'}", f"psk={escaped}"]
    return "\n".join([*lines, "[ipv4]", "method=auto", "[ipv6]", "method=auto", ""])

"""Wireless networks in netplan's and in NetworkManager's words."""

from __future__ import annotations

import configparser

import pytest

from edge.provision.network import netplan, nm_connection, wifi_secret, wpa2_key
from edge.provision.values import Wifi

WIFI = Wifi(name="Müller: Netz", country="DE")


def access_point(wifi: Wifi, secret: str | None) -> object:
    return netplan(wifi, secret)["network"]["wifis"]["wlan0"]["access-points"][wifi.name]


@pytest.mark.parametrize(
    ("name", "passphrase", "key"),
    [
        ("IEEE", "password", "f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e"),
        ("ThisIsASSID", "ThisIsAPassword", "0dc0d6eb90555ed6419756b9a15ec3e3209b63df707dd508d14581f8982721af"),
    ],
)
def test_the_key_is_that_of_the_standard(name: str, passphrase: str, key: str) -> None:
    """The test vectors of IEEE 802.11-2020, annex J.4.2."""
    assert wpa2_key(name, passphrase) == key


def test_wpa3_gets_the_passphrase_itself() -> None:
    wifi = Wifi(name="a", country="DE", security="wpa3")

    assert wifi_secret(wifi, "correct horse") == "correct horse"
    assert access_point(wifi, "correct horse") == {"auth": {"key-management": "sae", "password": "correct horse"}}


def test_an_open_network_has_no_key() -> None:
    assert access_point(WIFI, None) == {}
    assert "wifi-security" not in nm_connection(WIFI, None)


def test_without_wifi_the_cable_is_taken_as_it_comes() -> None:
    network = netplan(None, None)["network"]

    assert network["ethernets"]["eth0"] == {"dhcp4": True, "optional": True}
    assert "wifis" not in network


def test_networkmanager_gets_the_name_as_bytes() -> None:
    keyfile = configparser.ConfigParser(interpolation=None)
    keyfile.read_string(nm_connection(WIFI, "f" * 64))

    name = bytes(int(byte) for byte in keyfile["wifi"]["ssid"].strip(";").split(";"))
    assert name.decode() == "Müller: Netz"
    assert keyfile["wifi-security"]["psk"] == "f" * 64

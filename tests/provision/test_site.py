"""A site file is checked like edge.yaml: every mistake with its line and the way out, before a card is written."""

from __future__ import annotations

import pytest

from edge.core.errors import ConfigError
from tests.provision.desk import PASSPHRASE, Desk


def refusal(desk: Desk) -> str:
    with pytest.raises(ConfigError) as caught:
        desk.card()
    return str(caught.value)


def test_a_good_site_file_makes_a_card(desk: Desk) -> None:
    assert desk.card().device == "gate"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("country: DE", "country: de", "site.yaml:7: wifi.country: expected the country's two letters"),
        ("country: DE", "contry: DE", "did you mean country?"),
        ("name: pi", "name: root", "login.name: expected a user name"),
        ("raspberry_pi_os: 13", "raspberry_pi_os: 11", "expected one of 12, 13, found 11"),
        ("source: picamera2:0", "sorce: picamera2:0", "there is no such key; did you mean source?"),
        ("source: picamera2:0", "source: walk.mp4", "a new card has no recordings"),
        ("  device: gate\n", "", "edge.device: this key is missing; a card needs a name of its own"),
        ("host: mqtt.lan", "port: 99999", "edge.broker.port: expected a port"),
        ("{file: wifi}", PASSPHRASE, "found the secret itself, which is not shown here"),
        ("{file: wifi}", "{credential: wifi}", "wifi.password: a new card has no credentials"),
        ("edge_0.1.0_arm64.deb", "edge_0.1.0_amd64.deb", "package: expected edge_VERSION_arm64.deb"),
        ("edge_0.1.0_arm64.deb", "edge_0.2.0_arm64.deb", "can't be read: No such file"),
        ("raspberry_pi_os: 13\npackage: edge_0.1.0_arm64.deb", "raspberry_pi_os: 12", "package: this key is missing"),
        ("login:", "time_servers: ['a b']\nlogin:", "time_servers[0]: expected a host name or address"),
        ("authority.pem", "nothing.pem", "edge.broker.tls.ca: expected certificates in PEM form"),
        ("{device}-key.pem", "garden-key.pem", "the key belongs to another certificate"),
        ("{file: camera}", "{file: nothing}", "edge.cameras.street.password"),
        ("Müller: Netz", "a network with a name that is too long", "1 to 32 bytes"),
    ],
)
def test_a_mistake_is_told_with_its_key_and_the_way_out(desk: Desk, old: str, new: str, words: str) -> None:
    desk.change(old, new)

    assert words in refusal(desk)


def test_all_mistakes_of_the_file_are_told_at_once(desk: Desk) -> None:
    desk.change("country: DE", "country: de")
    desk.change("name: pi", "name: Pi")

    assert len(refusal(desk).splitlines()) == 2


def test_a_device_nobody_can_log_in_to_is_refused(desk: Desk) -> None:
    text = desk.site.read_text(encoding="utf-8")
    desk.write("\n".join(line for line in text.splitlines() if "ssh_keys" not in line and "password_hash" not in line))

    assert "login: nobody could log in" in refusal(desk)


@pytest.mark.parametrize("passphrase", ["short", "x" * 64])
def test_a_passphrase_that_no_router_takes_is_refused_and_not_shown(desk: Desk, passphrase: str) -> None:
    desk.secret("wifi", passphrase)

    reason = refusal(desk)

    assert "wifi.password: expected 8 to 63 characters" in reason
    assert passphrase not in reason


def test_a_password_that_is_not_hashed_is_refused_and_not_shown(desk: Desk) -> None:
    desk.secret("password-hash", "hunter2hunter2")

    reason = refusal(desk)

    assert "openssl passwd -6" in reason
    assert "hunter2" not in reason


def test_a_secret_that_others_can_read_is_refused(desk: Desk) -> None:
    (desk.folder / "wifi").chmod(0o644)

    assert "chmod 600" in refusal(desk)


def test_a_private_key_is_no_login_key(desk: Desk) -> None:
    desk.change("ssh-ed25519 ", "-----BEGIN OPENSSH PRIVATE KEY-----")

    assert "write the line of a public key" in refusal(desk)

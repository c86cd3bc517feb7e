"""tools/broker-setup: what it makes, keeps and refuses."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.broker.site import REPOSITORY, run_setup

BROKER_PAGE = REPOSITORY / "docs" / "broker.md"
ARGUMENTS = ("--host", "mqtt.lan", "--host", "192.168.1.5", "--host", "::1", "--device", "gate", "--consumer", "store")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "pki"
    done = run_setup("--out", folder, *ARGUMENTS)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def out(made: Path, tmp_path: Path) -> Path:
    """A copy: the folder may be moved, too."""
    return Path(shutil.copytree(made, tmp_path / "pki"))


def _certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def _contents(out: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in out.rglob("*.crt")}


def test_keys_and_folders_are_for_their_owner_alone(out: Path) -> None:
    assert {stat.S_IMODE(path.stat().st_mode) for path in out.rglob("*.key")} == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in [out, *out.rglob("*")] if path.is_dir()} == {0}


def test_the_broker_is_known_by_every_name_given(out: Path) -> None:
    names = _certificate(out / "broker" / "broker.crt").extensions.get_extension_for_class(x509.SubjectAlternativeName)

    assert names.value.get_values_for_type(x509.DNSName) == ["mqtt.lan"]
    assert [str(ip) for ip in names.value.get_values_for_type(x509.IPAddress)] == ["192.168.1.5", "::1"]


def test_a_device_can_be_a_client_only_and_is_named_by_its_certificate(out: Path) -> None:
    certificate = _certificate(out / "devices" / "gate" / "gate.crt")

    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "gate"
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_a_second_run_changes_nothing(out: Path) -> None:
    before = _contents(out)

    done = run_setup("--out", out, *ARGUMENTS)

    assert done.returncode == 0, done.stderr
    assert _contents(out) == before


def test_a_name_is_added_without_touching_the_others(out: Path) -> None:
    before = _contents(out)

    done = run_setup("--out", out, "--device", "yard")

    assert done.returncode == 0, done.stderr
    assert {path.name for path in set(_contents(out)) - set(before)} == {"yard.crt", "ca.crt"}
    assert {path: data for path, data in _contents(out).items() if path in before} == before


def test_another_host_makes_the_brokers_certificate_anew_and_no_other(out: Path) -> None:
    before = _contents(out)

    run_setup("--out", out, "--host", "new.lan")

    after = _contents(out)
    assert [path.name for path in before if after[path] != before[path]] == ["broker.crt"]


def test_one_that_ends_soon_is_made_anew(tmp_path: Path) -> None:
    run_setup("--out", tmp_path, *ARGUMENTS, "--days", "20")
    before = _contents(tmp_path)

    done = run_setup("--out", tmp_path)

    assert done.returncode == 0, done.stderr
    changed = {path.name for path, data in _contents(tmp_path).items() if before[path] != data}
    assert changed == {"broker.crt", "gate.crt", "store.crt"}


def test_renewing_gives_a_new_key_and_certificate_of_the_same_authority(out: Path) -> None:
    before = (out / "devices" / "gate" / "gate.key").read_bytes()

    done = run_setup("--out", out, "--renew", "gate")

    assert done.returncode == 0, done.stderr
    assert (out / "devices" / "gate" / "gate.key").read_bytes() != before
    verified = ["openssl", "verify", "-CAfile", out / "ca" / "ca.crt", out / "devices" / "gate" / "gate.crt"]
    assert subprocess.run(verified, check=False, capture_output=True).returncode == 0


def test_a_revoked_name_can_be_given_again_with_a_new_certificate(out: Path) -> None:
    old = _certificate(out / "devices" / "gate" / "gate.crt")

    run_setup("--out", out, "--revoke", "gate")
    done = run_setup("--out", out, "--device", "gate")

    assert done.returncode == 0, done.stderr
    revoked = x509.load_pem_x509_crl((out / "broker" / "ca.crl").read_bytes())
    assert [entry.serial_number for entry in revoked] == [old.serial_number]
    assert _certificate(out / "devices" / "gate" / "gate.crt").serial_number != old.serial_number


def test_it_prints_the_lines_of_the_devices_configuration(tmp_path: Path) -> None:
    done = run_setup("--out", tmp_path, *ARGUMENTS)

    assert "host: mqtt.lan" in done.stdout
    line = "tls: {ca: ca.crt, certificate: gate.crt, key: {credential: mqtt-key}}"
    assert line in done.stdout
    assert "LoadCredential=mqtt-key:/etc/edge/credentials/gate.key" in done.stdout
    assert line in BROKER_PAGE.read_text()  # the same in the handbook
    assert "LoadCredential=mqtt-key:/etc/edge/credentials/gate.key" in BROKER_PAGE.read_text()
    assert "edge watch --broker mqtts://mqtt.lan --consumer store" in done.stdout


def test_the_access_list_holds_the_names_given_and_no_model(out: Path) -> None:
    access = (out / "broker" / "edge.acl").read_text()

    assert "topic write edge/+/cursor/store" in access
    assert re.findall(r"^user (\S+)$", access, re.M) == ["store"]
    assert "archive" not in access.split("user store")[1]


def test_the_shipped_list_is_what_the_shipped_names_would_give(tmp_path: Path) -> None:
    roles = ("--consumer=archive", "--operator=operator", "--monitor=monitor", "--homeassistant=homeassistant")

    run_setup("--out", tmp_path, "--host", "mqtt.lan", *roles)

    shipped = REPOSITORY / "systemd" / "mosquitto" / "edge.acl"
    assert (tmp_path / "broker" / "edge.acl").read_text() == shipped.read_text()


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (("--device", "Gate"), "expected 1 to 64 of a-z", 2),
        (("--device", "a/b"), "expected 1 to 64 of a-z", 2),
        (("--device", "a\nb"), "expected 1 to 64 of a-z", 2),
        (("--host", "a b"), "expected a host name", 2),
        (("--host", "x, DNS:evil"), "expected a host name", 2),
        (("--device", "gate"), "--host", 1),
        (("--host", "h", "--device", "one", "--consumer", "one"), "is a device already", 1),
        (("--host", "h", "--device", "broker"), "take another", 1),
        (("--host", "h", "--renew", "nobody"), "no such name", 1),
        (("--host", "h", "--revoke", "nobody"), "no valid certificate", 1),
        (("--host", "h", "--days", "0"), "expected 1 to", 2),
    ],
)
def test_what_can_not_be_is_refused_in_words(tmp_path: Path, arguments: tuple[str, ...], words: str, code: int) -> None:
    done = run_setup("--out", tmp_path / "pki", *arguments)

    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr

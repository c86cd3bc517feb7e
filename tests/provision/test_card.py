"""What lies on a card: all that the device needs, and no secret where it would stay."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from edge.config.load import parse_config
from edge.core.errors import ConfigError
from tests.provision.desk import CAMERA_PASSWORD, INSTANCE, PASSPHRASE, PASSWORD_HASH, SSH_KEY, Desk, same_yaml


def test_the_configuration_on_the_card_is_one_that_edge_reads(desk: Desk) -> None:
    config = parse_config(desk.contents()["edge/edge.yaml"].encode(), Path("edge.yaml"))

    assert (config.device, config.cameras["yard"].source) == ("gate", "picamera2:0")
    assert config.cameras["yard"].rules["night"].schedule is not None


def test_certificates_and_secrets_are_named_where_they_lie_on_the_device(desk: Desk) -> None:
    configuration = desk.contents()["edge/edge.yaml"]

    broker = yaml.safe_load(configuration)["broker"]
    assert broker["tls"] == {
        "ca": "/etc/edge/ca.pem",
        "certificate": "/etc/edge/certificate.pem",
        "key": {"credential": "mqtt-key"},
    }
    assert yaml.safe_load(configuration)["cameras"]["street"]["password"] == {"credential": "camera-street"}


def test_the_service_is_handed_its_credentials(desk: Desk) -> None:
    contents = desk.contents()

    assert contents["edge/credentials.conf"].splitlines() == [
        "[Service]",
        "LoadCredential=camera-street:/etc/edge/credentials/camera-street",
        "LoadCredential=mqtt-key:/etc/edge/credentials/mqtt-key",
    ]
    assert contents["edge/credentials/camera-street"] == CAMERA_PASSWORD


@pytest.mark.parametrize("version", ["13", "12"])
def test_secrets_stand_only_where_they_are_wiped(desk: Desk, version: str) -> None:
    """Wiped are edge/credentials, edge/first, and what has a clean copy; the passphrase is not on the card at all."""
    desk.change("raspberry_pi_os: 13", f"raspberry_pi_os: {version}")

    contents = desk.contents()

    replaced = {path.removeprefix("edge/clean/") for path in contents if path.startswith("edge/clean/")}
    staying = {p: t for p, t in contents.items() if not p.startswith(("edge/credentials/", "edge/first/"))}
    for path, text in staying.items():
        if path not in replaced:
            assert CAMERA_PASSWORD not in text, path
            assert PASSWORD_HASH not in text, path
            assert "PRIVATE KEY" not in text, path
    assert not [path for path, text in contents.items() if PASSPHRASE in text]


def test_cloud_init_finds_the_same_instance_and_user_after_the_wipe(desk: Desk) -> None:
    contents = desk.contents()

    before, after = (yaml.safe_load(contents[path]) for path in ("user-data", "edge/clean/user-data"))
    assert before["users"][0].pop("passwd") == PASSWORD_HASH
    assert (before["users"][0].pop("lock_passwd"), after["users"][0].pop("lock_passwd")) == (False, True)
    assert before == after
    assert yaml.safe_load(contents["meta-data"])["instance-id"] == INSTANCE


def test_raspberry_pi_os_13_is_set_up_by_cloud_init(desk: Desk) -> None:
    contents = desk.contents()

    user_data = yaml.safe_load(contents["user-data"])
    assert contents["user-data"].startswith("#cloud-config\n")
    assert (user_data["hostname"], user_data["timezone"]) == ("gate", "Europe/Berlin")
    assert user_data["users"][0]["ssh_authorized_keys"] == [SSH_KEY]
    assert user_data["runcmd"][-1] == ["sh", "/boot/firmware/edge/setup.sh"]


def test_raspberry_pi_os_12_is_set_up_by_firstrun(desk: Desk) -> None:
    desk.change("raspberry_pi_os: 13", "raspberry_pi_os: 12")

    card = desk.card()

    assert {"firstrun.sh", "edge/authorized_keys", "edge/first/password-hash"} <= {file.path for file in card.files}
    assert "systemd.run=/boot/firmware/firstrun.sh" in card.kernel_words


def test_a_model_of_ones_own_goes_along(desk: Desk) -> None:
    desk.change("  device: gate\n", "  device: gate\n  model: own.tflite\n")
    (desk.folder / "own.tflite").write_bytes(b"TFL3")
    (desk.folder / "own.yaml").write_text("name: own\n")

    contents = desk.contents()

    assert contents["edge/etc/own.tflite"] == "TFL3"
    assert contents["edge/etc/own.yaml"] == "name: own\n"
    assert yaml.safe_load(contents["edge/edge.yaml"])["model"] == "/etc/edge/own.tflite"


def test_a_model_whose_card_would_be_taken_for_the_configuration_is_refused(desk: Desk) -> None:
    desk.change("  device: gate\n", "  device: gate\n  model: edge.tflite\n")
    (desk.folder / "edge.tflite").write_bytes(b"TFL3")
    (desk.folder / "edge.yaml").write_text("name: edge\n")

    with pytest.raises(ConfigError, match=r"edge\.model: .*would lie where the configuration does; rename it"):
        desk.card()


def test_texts_keep_their_quotes_and_numbers_stay_numbers(desk: Desk) -> None:
    desk.change("  device: gate\n", '  device: "007"\n')
    desk.change('"{device}-certificate.pem"', "gate-certificate.pem")
    desk.change('"{device}-key.pem"', "gate-key.pem")

    configuration = desk.contents()["edge/edge.yaml"]

    assert 'device: "007"' in configuration
    assert same_yaml(configuration.splitlines()[0], 'device: "007"')


@pytest.mark.parametrize("script", ["edge/setup.sh", "edge/report.sh", "firstrun.sh"])
def test_the_shell_reads_the_scripts(desk: Desk, tmp_path: Path, script: str) -> None:
    desk.change("raspberry_pi_os: 13", "raspberry_pi_os: 12")
    file = tmp_path / "script"
    file.write_text(desk.contents()[script])

    done = subprocess.run(["bash", "-n", str(file)], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert "@" not in file.read_text().replace('"$@"', "")


def test_time_servers_of_a_site_without_internet_go_along(desk: Desk) -> None:
    """A Raspberry Pi has no clock, and without the time no certificate can be checked."""
    desk.change("login:", "time_servers: [192.168.1.1, ntp.lan]\nlogin:")

    contents = desk.contents()

    assert contents["edge/timesyncd.conf"] == "[Time]\nNTP=192.168.1.1 ntp.lan\n"


def test_without_time_servers_the_distributions_are_asked(desk: Desk) -> None:
    assert "edge/timesyncd.conf" not in desk.contents()

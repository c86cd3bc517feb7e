"""Why a broker does not let us in, in words; against a real one."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.core.clock import SystemClock
from edge.host.doctor.probes.broker import judge, look
from edge.host.doctor.values import BrokerFacts, Finding, Patient, State
from tests.brokers import Brokers, Mosquitto, brokers_in, free_port
from tests.certificates import Authority
from tests.scripted_broker import ScriptedBroker

HERE = ("localhost", "127.0.0.1")


@pytest.fixture
def brokers(tmp_path: Path) -> Iterator[Brokers]:
    yield from brokers_in(tmp_path)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "our-ca")


def examined(facts: BrokerFacts) -> Finding:
    return judge(facts, client_id="gate-doctor", clock=SystemClock())


def tls_broker(brokers: Brokers, authority: Authority, *, extra: str = "", **certificate: object) -> Mosquitto:
    certificate_file, key = authority.issue("broker", **({"hosts": HERE} | certificate))  # type: ignore[arg-type]
    return brokers.start(listener=f"cafile {authority.path}\ncertfile {certificate_file}\nkeyfile {key}\n{extra}")


def test_without_a_broker_in_the_configuration_nothing_is_said() -> None:
    assert look(Patient()) == []


@pytest.mark.broker
def test_one_that_lets_us_in_is_right_and_hears_nothing(brokers: Brokers) -> None:
    broker = brokers.start()

    finding = examined(BrokerFacts("127.0.0.1", broker.port, is_tls=False))

    assert finding.state is State.OK
    assert "MQTT 5, plain text, on this machine" in finding.found
    broker.log.wait_for(lambda line: "gate-doctor" in line and "disconnected" in line)
    assert broker.log.count("PUBLISH") == 0


def test_nobody_there_is_told_with_what_to_start() -> None:
    finding = examined(BrokerFacts("127.0.0.1", free_port(), is_tls=False))

    assert finding.state is State.BROKEN
    assert "nothing listens there" in finding.found
    assert "systemctl status mosquitto" in finding.fix


def test_plain_text_goes_to_this_machine_alone() -> None:
    finding = examined(BrokerFacts("broker.example", 1883, is_tls=False))

    assert "plain text is allowed to this machine only" in finding.found
    assert "broker.tls" in finding.fix


def test_a_name_that_nobody_knows_is_told() -> None:
    finding = examined(BrokerFacts("no-such-host.invalid", 8883, is_tls=True))

    assert finding.state is State.BROKEN
    assert finding.fix


@pytest.mark.broker
def test_a_broker_with_a_good_certificate_lets_us_in(brokers: Brokers, authority: Authority) -> None:
    broker = tls_broker(brokers, authority)

    finding = examined(BrokerFacts("localhost", broker.port, is_tls=True, ca=str(authority.path)))

    assert (finding.state, "TLS" in finding.found) == (State.OK, True)


@pytest.mark.broker
@pytest.mark.parametrize(
    ("certificate", "words", "fix"),
    [
        ({"has_expired": True}, "has expired", "check this machine's clock"),
        ({"hosts": ("broker.example",)}, "for another host name", "connect by the name it is made for"),
    ],
    ids=["expired", "another name"],
)
def test_a_bad_certificate_is_told_by_its_fault(
    brokers: Brokers, authority: Authority, certificate: dict[str, object], words: str, fix: str
) -> None:
    broker = tls_broker(brokers, authority, **certificate)

    finding = examined(BrokerFacts("localhost", broker.port, is_tls=True, ca=str(authority.path)))

    assert finding.state is State.BROKEN
    assert words in finding.found
    assert fix in finding.fix


@pytest.mark.broker
def test_an_unknown_authority_is_told(brokers: Brokers, authority: Authority, tmp_path: Path) -> None:
    broker = tls_broker(brokers, authority)
    other = Authority(tmp_path, "other-ca")

    finding = examined(BrokerFacts("localhost", broker.port, is_tls=True, ca=str(other.path)))

    assert "unknown CA" in finding.found
    assert "broker.tls.ca" in finding.fix


@pytest.mark.broker
def test_a_wrong_password_is_told(brokers: Brokers, tmp_path: Path) -> None:
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, "gate", "right"], check=True, capture_output=True)
    broker = brokers.start(extra=f"allow_anonymous false\npassword_file {passwords}")

    finding = examined(BrokerFacts("127.0.0.1", broker.port, is_tls=False, username="gate", password="wrong"))

    assert "not authorized" in finding.found
    assert "broker.username, broker.password" in finding.fix
    assert "wrong" not in finding.found + finding.fix


@pytest.mark.broker
def test_tls_to_a_port_without_it_is_told(brokers: Brokers) -> None:
    broker = brokers.start()

    finding = examined(BrokerFacts("localhost", broker.port, is_tls=True))

    assert finding.state is State.BROKEN
    assert "TLS" in finding.found + finding.fix


def test_a_certificate_file_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("not a certificate")

    finding = examined(BrokerFacts("localhost", 8883, is_tls=True, ca=str(tmp_path / "ca.pem")))

    assert "expected certificates in PEM format" in finding.found


def test_a_broker_that_says_nothing_is_left_in_time() -> None:
    broker = ScriptedBroker(lambda _: None)
    try:
        finding = examined(BrokerFacts("127.0.0.1", broker.port, is_tls=False))
    finally:
        broker.close()

    assert finding.state is State.BROKEN

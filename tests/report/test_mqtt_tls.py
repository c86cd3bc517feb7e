"""TLS to a real mosquitto: who is trusted, and what is said about who is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from edge.core.errors import ConfigError
from edge.wire.settings import BrokerSettings, Pace, TlsSettings
from edge.wire.tls import make_context
from tests.brokers import Brokers
from tests.certificates import Authority, private_bytes
from tests.fakes_report import Diary, Running, text_event
from tests.scripted_broker import ScriptedBroker

Run = Callable[..., Running]
QUICK_WHEN_REFUSED = Pace(backoff_first_s=0.05, backoff_longest_s=0.2, refused_s=0.1)
HERE = ("localhost", "127.0.0.1")


def _listener(authority: Authority, pair: tuple[Path, Path], extra: str = "") -> str:
    return f"cafile {authority.path}\ncertfile {pair[0]}\nkeyfile {pair[1]}\n{extra}"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "our-ca")


@pytest.mark.broker
def test_a_broker_we_can_trust_is_spoken_to(brokers: Brokers, run: Run, diary: Diary, authority: Authority) -> None:
    broker = brokers.start(listener=_listener(authority, authority.issue("broker", hosts=HERE)))
    settings = BrokerSettings("localhost", broker.port, tls=TlsSettings(ca=authority.path))

    running = run(broker.port, settings=settings)

    diary.wait_for("connected to the broker, MQTT 5")
    for number in range(200):
        running.sink.send(text_event(running.topics, f"event {number}"))
    running.stop()
    assert running.sink.stats().delivered + running.sink.stats().unheard == 202


@pytest.mark.broker
@pytest.mark.parametrize(
    ("hosts", "has_expired", "words"),
    [
        (HERE, True, "has expired"),
        (("broker.example",), False, "for another host name"),
    ],
    ids=["expired", "another host"],
)
def test_a_bad_certificate_is_refused_by_its_fault(
    brokers: Brokers,
    run: Run,
    diary: Diary,
    authority: Authority,
    hosts: tuple[str, ...],
    has_expired: bool,
    words: str,
) -> None:
    pair = authority.issue("broker", hosts=hosts, has_expired=has_expired)
    broker = brokers.start(listener=_listener(authority, pair))
    settings = BrokerSettings("localhost", broker.port, tls=TlsSettings(ca=authority.path))

    running = run(broker.port, settings=settings)

    assert f"localhost:{broker.port}" in diary.wait_for(words)
    assert not running.sink.stats().ever_connected


@pytest.mark.broker
def test_an_unknown_authority_is_refused(
    brokers: Brokers, run: Run, diary: Diary, authority: Authority, tmp_path: Path
) -> None:
    broker = brokers.start(listener=_listener(authority, authority.issue("broker", hosts=HERE)))
    other = Authority(tmp_path, "other-ca")

    run(broker.port, settings=BrokerSettings("localhost", broker.port, tls=TlsSettings(ca=other.path)))

    assert "broker.tls.ca" in diary.wait_for("unknown CA")


@pytest.mark.broker
def test_the_systems_authorities_do_not_know_our_own(
    brokers: Brokers, run: Run, diary: Diary, authority: Authority
) -> None:
    broker = brokers.start(listener=_listener(authority, authority.issue("broker", hosts=HERE)))

    run(broker.port, settings=BrokerSettings("localhost", broker.port, tls=TlsSettings()))

    diary.wait_for("unknown CA")


@pytest.mark.broker
def test_a_client_certificate_opens_a_broker_that_asks_for_one(
    brokers: Brokers, run: Run, diary: Diary, authority: Authority
) -> None:
    pair = authority.issue("broker", hosts=HERE)
    extra = "require_certificate true\nuse_identity_as_username true"
    broker = brokers.start(listener=_listener(authority, pair, extra))
    certificate, key = authority.issue("gate")
    tls = TlsSettings(ca=authority.path, certificate=certificate, key=key)

    run(broker.port, settings=BrokerSettings("localhost", broker.port, tls=tls))

    diary.wait_for("connected to the broker")


@pytest.mark.broker
def test_a_missing_client_certificate_is_asked_for_in_words(
    brokers: Brokers, run: Run, diary: Diary, authority: Authority
) -> None:
    pair = authority.issue("broker", hosts=HERE)
    broker = brokers.start(listener=_listener(authority, pair, "require_certificate true"))

    run(broker.port, settings=BrokerSettings("localhost", broker.port, tls=TlsSettings(ca=authority.path)))

    diary.wait_for("asks for a client certificate")


@pytest.mark.broker
def test_a_renewed_certificate_is_picked_up_by_the_next_connect(
    brokers: Brokers, run: Run, diary: Diary, authority: Authority, tmp_path: Path
) -> None:
    pair = authority.issue("broker", hosts=HERE)
    broker = brokers.start(listener=_listener(authority, pair, "require_certificate true"))
    certificate, key = Authority(tmp_path, "old-ca").issue("gate")
    tls = TlsSettings(ca=authority.path, certificate=certificate, key=key)
    run(broker.port, settings=BrokerSettings("localhost", broker.port, tls=tls), pace=QUICK_WHEN_REFUSED)
    diary.wait_for("next attempt in")

    authority.issue("gate")  # over the same files

    diary.wait_for("connected to the broker")


def test_a_broker_without_tls_on_the_port_is_named(
    run: Run, diary: Diary, authority: Authority, script: Callable[..., ScriptedBroker]
) -> None:
    broker = script(lambda _packet: b"HTTP/1.1 400 Bad Request\r\n\r\n")

    run(broker.port, settings=BrokerSettings("localhost", broker.port, tls=TlsSettings(ca=authority.path)))

    diary.wait_for("does not speak TLS on this port")


def test_plain_text_never_leaves_this_machine() -> None:
    for host in ("broker.example", "192.168.1.2", "0.0.0.0", "localhost.example", "2001:db8::1"):
        with pytest.raises(ConfigError, match="plain text is allowed to this machine only"):
            BrokerSettings(host, 1883)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "::1", "LOCALHOST"])
def test_plain_text_is_allowed_within_this_machine(host: str) -> None:
    assert BrokerSettings(host, 1883).tls is None


@pytest.mark.parametrize("host", ["", "mqtt://broker", "a b", "user@broker", "broker/path"])
def test_a_host_that_is_none_is_refused(host: str) -> None:
    with pytest.raises(ConfigError, match="host name or address alone"):
        BrokerSettings(host, 1883, tls=TlsSettings())


def test_a_secret_is_not_in_what_is_printed_of_the_settings(tmp_path: Path) -> None:
    tls = TlsSettings(certificate=tmp_path / "c", key=tmp_path / "k", key_password="canary-1")

    shown = repr(BrokerSettings("broker.example", 8883, tls=tls, username="gate", password="canary-2"))

    assert "canary" not in shown


@pytest.mark.parametrize("content", [None, b"", b"not a certificate"], ids=["missing", "empty", "garbage"])
def test_a_bad_ca_file_is_a_configuration_error_that_names_it(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ConfigError, match=r"broker\.tls\.ca .*ca\.pem"):
        make_context(TlsSettings(ca=path))


def test_a_missing_key_file_is_named(authority: Authority, tmp_path: Path) -> None:
    certificate, _key = authority.issue("gate")

    with pytest.raises(ConfigError, match=r"broker\.tls\.key .*nowhere\.pem"):
        make_context(TlsSettings(ca=authority.path, certificate=certificate, key=tmp_path / "nowhere.pem"))


def test_a_key_of_another_certificate_is_refused(authority: Authority) -> None:
    certificate, _key = authority.issue("gate")
    _certificate, other_key = authority.issue("yard")

    with pytest.raises(ConfigError, match="do not make a pair"):
        make_context(TlsSettings(ca=authority.path, certificate=certificate, key=other_key))


def test_an_encrypted_key_never_asks_on_the_terminal(authority: Authority) -> None:
    certificate, key = authority.issue("gate")
    key.write_bytes(private_bytes(ec.generate_private_key(ec.SECP256R1()), b"secret"))

    with pytest.raises(ConfigError, match="encrypted"):
        make_context(TlsSettings(ca=authority.path, certificate=certificate, key=key))


def test_a_certificate_without_its_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="key is missing"):
        TlsSettings(certificate=tmp_path / "c.pem")


def test_old_tls_is_not_spoken(authority: Authority) -> None:
    context = make_context(TlsSettings(ca=authority.path))

    assert context.minimum_version.name == "TLSv1_2"
    assert context.check_hostname
    assert context.verify_mode.name == "CERT_REQUIRED"

"""Who may do what: identity x topic x publish, subscribe, retained, will; a real broker with the shipped files."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from tests.broker.site import PEOPLE, Site, run_setup
from tests.certificates import Authority
from tests.plain_mqtt import PlainClient, Will

pytestmark = pytest.mark.broker

SUCCESS, NOBODY_LISTENS, NOT_AUTHORIZED = 0, 16, 135

OF_GATE = {
    "edge/gate/status",
    "edge/gate/info",
    "edge/gate/health",
    "edge/gate/camera/cam/status",
    "edge/gate/camera/cam/event",
    "edge/gate/camera/cam/detections",
    "edge/gate/camera/cam/count/person",
    "edge/gate/camera/cam/zone/drive/person",
    "edge/gate/camera/cam/line/door",
    "edge/gate/camera/cam/snapshot/person",
    "edge/gate/response/replay",
}
TO_GATE = {
    "edge/gate/cursor/archive",
    "edge/gate/cursor/backup",
    "edge/gate/command/replay",
    "edge/gate/command/restart",
}
OF_YARD = {
    "edge/yard/status",
    "edge/yard/health",
    "edge/yard/camera/cam/event",
    "edge/yard/camera/cam/detections",
    "edge/yard/response/replay",
}
TO_YARD = {"edge/yard/cursor/archive", "edge/yard/command/replay"}
ODD = {
    "edge/gate",
    "edge/gate/other",
    "edge/gate/cursor",
    "edge/gate/response/replay/more",
    "edge/archive/status",
    "edge/archive/camera/cam/event",
    "edge/monitor/camera/cam/event",
    "edge",
    "elsewhere",
}
HOUSE = {"homeassistant/status", "homeassistant/device/gate/config", "homeassistant/device/yard/config"}
TOPICS = OF_GATE | TO_GATE | OF_YARD | TO_YARD | ODD | HOUSE

OF_EDGE = {topic for topic in TOPICS if topic.startswith("edge")}
WRITES = {
    "gate": OF_GATE | {"homeassistant/device/gate/config"},
    "archive": {topic for topic in TO_GATE | TO_YARD if topic.endswith(("cursor/archive", "command/replay"))},
    "operator": {topic for topic in TO_GATE | TO_YARD if "/command/" in topic},
    "monitor": set(),
    "homeassistant": {"homeassistant/status"},
    "stranger": set(),
}
READS = {
    "gate": TO_GATE | {"homeassistant/status"},
    "archive": {
        topic
        for topic in OF_GATE | OF_YARD | {"edge/monitor/camera/cam/event"}
        if topic.endswith(("/event", "/status", "/info", "/response/replay"))
    },
    "operator": OF_EDGE,
    "monitor": {
        topic
        for topic in OF_GATE | OF_YARD | {"edge/archive/status"}
        if topic.endswith(("/status", "/info", "/health"))
    },
    "homeassistant": OF_EDGE | HOUSE,
    "stranger": {"homeassistant/status"},
}
IDENTITIES = sorted(WRITES)


@pytest.fixture
def anything(site: Site) -> PlainClient:
    """Somebody who may do all: the list of these tests has one more line than the shipped one."""
    return site.connect(site.master)


@pytest.mark.parametrize("name", IDENTITIES)
def test_a_publish_is_taken_where_it_is_allowed_and_refused_with_135_elsewhere(site: Site, name: str) -> None:
    client = site.connect(name)

    codes = {topic: client.publish(topic) for topic in TOPICS}

    assert {topic for topic, code in codes.items() if code in (SUCCESS, NOBODY_LISTENS)} == WRITES[name]
    assert {code for topic, code in codes.items() if topic not in WRITES[name]} == {NOT_AUTHORIZED}
    client.close()


@pytest.mark.parametrize("name", IDENTITIES)
def test_a_retained_message_is_kept_only_where_it_is_allowed(site: Site, anything: PlainClient, name: str) -> None:
    client = site.connect(name)

    for topic in TOPICS:
        client.publish(topic, name.encode(), retain=True)

    anything.subscribe("#")
    anything.ping()
    assert {got.topic for got in anything.take() if got.retain} == WRITES[name]
    for topic in WRITES[name]:
        assert anything.publish(topic, b"", retain=True) in (SUCCESS, NOBODY_LISTENS)
    client.close()
    anything.close()


@pytest.mark.parametrize("name", IDENTITIES)
@pytest.mark.parametrize("way", ["everything", "each by its name"])
def test_a_subscription_brings_only_what_is_allowed(site: Site, anything: PlainClient, name: str, way: str) -> None:
    client = site.connect(name)
    for topic in ["#"] if way == "everything" else sorted(TOPICS):
        client.subscribe(topic)

    for topic in TOPICS:
        anything.publish(topic)

    client.ping()
    assert {got.topic for got in client.take()} == READS[name]
    client.close()
    anything.close()


@pytest.mark.parametrize("name", IDENTITIES)
def test_what_is_retained_comes_only_to_who_may_read_it(site: Site, anything: PlainClient, name: str) -> None:
    for topic in TOPICS:
        anything.publish(topic, retain=True)
    client = site.connect(name)

    client.subscribe("#")
    client.ping()

    assert {got.topic for got in client.take()} == READS[name]
    for topic in TOPICS:
        anything.publish(topic, b"", retain=True)
    client.close()
    anything.close()


@pytest.mark.parametrize("is_retained", [False, True], ids=["plain", "retained"])
@pytest.mark.parametrize("name", IDENTITIES)
def test_a_last_will_is_spoken_only_where_it_is_allowed(
    site: Site, anything: PlainClient, name: str, is_retained: bool
) -> None:
    # mosquitto 2.0 lets such a client in and drops its will; newer ones refuse the connection: both are right
    anything.subscribe("#")
    for topic in TOPICS:
        client = site.connect(name, will=Will(topic, retain=is_retained))
        assert client.code in (SUCCESS, NOT_AUTHORIZED)
        client.vanish()
        site.broker.log.wait_for(lambda line: f"Client {name} " in line and ("closed" in line or "disconnect" in line))

    anything.ping()

    assert {got.topic for got in anything.take()} == WRITES[name]
    for topic in TOPICS:
        anything.publish(topic, b"", retain=True)
    anything.close()


@pytest.mark.parametrize("name", IDENTITIES)
def test_only_monitoring_sees_the_broker_itself(site: Site, name: str) -> None:
    client = site.connect(name)

    client.subscribe("$SYS/broker/version")
    client.ping()

    assert [got.topic for got in client.take()] == (["$SYS/broker/version"] if name == "monitor" else [])
    client.close()


def test_a_client_cannot_take_the_place_of_another_by_its_id(site: Site) -> None:
    device = site.connect("gate")

    thief = site.connect("yard", client_id="gate")

    assert thief.code == SUCCESS
    device.ping()  # would fail, had the thief taken its session over
    thief.close()
    device.close()


def test_nobody_connects_without_a_certificate(site: Site) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        PlainClient(site.port, client_id="gate", context=site.context(None))


def test_a_certificate_of_another_authority_is_worth_nothing(site: Site, tmp_path: Path) -> None:
    certificate, key = Authority(tmp_path, "other").issue("gate")
    context = site.context(None)
    context.load_cert_chain(certificate, key)

    with pytest.raises((ssl.SSLError, ConnectionError)):
        PlainClient(site.port, client_id="gate", context=context)


def test_plain_text_gets_no_answer(site: Site) -> None:
    with pytest.raises((ConnectionError, TimeoutError)):
        PlainClient(site.port, client_id="gate")


def test_a_revoked_certificate_is_let_in_no_more(tmp_path: Path) -> None:
    site = Site(tmp_path)
    revoked = site.context("yard")
    done = run_setup("--out", site.folder, "--revoke", "yard")
    assert done.returncode == 0, done.stderr
    site.start()

    try:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            PlainClient(site.port, client_id="yard", context=revoked)
        site.connect("gate").close()
    finally:
        site.end()


def test_every_role_stands_in_the_matrix() -> None:
    assert {PEOPLE.get(name, "device") for name in IDENTITIES} == set(PEOPLE.values())

"""A configuration with every key, all of them right; tests bend it."""

from __future__ import annotations

GOOD = """\
device: gate
timezone: Europe/Berlin
broker:
  host: broker.example
  port: 8883
  tls: {ca: ca.pem, certificate: gate.pem, key: {credential: mqtt-key}}   # plain text only to loopback
  username: gate
  password: {file: secrets/mqtt}
  keepalive_seconds: 20
model: ssd-mobilenet-v1
accelerator: auto
threads: 2
cameras:
  yard:
    source: picamera2:0
    size: [1280, 720]
    fps: 10
    rotate: 0
    loop: false
    pace: real
    thresholds: {default: 0.5, person: 0.6, traffic light: 0.4}
    sizes: {default: {max_area: 0.5}, person: {min_area: 0.001}}
    labels: [person, car]
    publish_detections: false
    snapshots: {enabled: true, redact: [person], retain_hours: 24}
    motion_gate: {enabled: true, keepalive_seconds: 5}
    picture_check: {lens: true, frozen_seconds: 10}
    anchor: bottom
    zones:
      drive: [[0.10, 0.50], [0.90, 0.50], [0.90, 1.00], [0.10, 1.00]]
    ignore:  [[[0.0, 0.0], [1.0, 0.0], [1.0, 0.1], [0.0, 0.1]]]
    redact:  [[[0.0, 0.9], [1.0, 0.9], [1.0, 1.0]]]
    lines:
      gate-line: {from: [0.2, 0.6], to: [0.8, 0.6]}
    rules:
      person-in-drive: {label: person, zone: drive, when: dwell, seconds: 1, severity: alert, cooldown_seconds: 60,
                        schedule: "22:00-06:00"}
      crowd: {when: count, count: 3}
      crossing: {when: cross, line: gate-line, direction: in}
  street:
    source: rtsp://192.168.1.20:554/stream1
    username: viewer
    password: {credential: street}
home_assistant: {enabled: true, prefix: homeassistant}
governor: {enabled: true, min_fps: 5, alert_latency_p95_ms: 500}
health: {interval_seconds: 30, prometheus: 127.0.0.1:9750}
outbox: {path: /var/lib/edge/outbox.db, max_megabytes: 64, consumer: archive}
"""

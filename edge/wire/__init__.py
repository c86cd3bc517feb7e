"""What every end of the MQTT wire shares: where the broker is, TLS, reason codes, back-off, one connection."""

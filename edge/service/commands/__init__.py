"""What a device may be told over MQTT: off by default, bounded, written down, never more than names and numbers."""

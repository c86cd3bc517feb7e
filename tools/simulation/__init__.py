"""Simulated cameras at a real broker: see tools/fleet."""

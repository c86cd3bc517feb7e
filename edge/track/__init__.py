"""Detections to tracks to events: identity over time and what happened."""

"""Frames in: cameras, streams and recordings behind one door."""

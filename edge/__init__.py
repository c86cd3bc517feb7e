"""edge: the real-time video detector that runs on the camera itself."""

__version__ = "0.1.0"

"""The picamera2 source over real picamera2 and real libcamera, whose virtual camera stands in for a sensor."""

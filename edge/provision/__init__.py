"""A memory card that sets itself up: one site file becomes what lies on the boot partition of Raspberry Pi OS."""

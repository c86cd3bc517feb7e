"""The card image started in emulated machines: a Raspberry Pi 3 and QEMU's own, with a broker on this machine."""

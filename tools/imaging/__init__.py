"""A card image: Debian 13 for 64-bit Raspberry Pis with USB cameras, edge inside, a root that is never written."""

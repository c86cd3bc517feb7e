"""The Debian package of edge: bundled wheels pinned by hash, units, and the scripts that put them in place."""

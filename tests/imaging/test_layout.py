"""Where what lies on a card."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tools.imaging.layout import MIB, partitions


@given(st.integers(min_value=0, max_value=8 << 30))
def test_partitions_follow_each_other_and_begin_on_whole_erase_blocks(root_bytes: int) -> None:
    boot, root, data = partitions(root_bytes)

    assert (boot.end_mib, root.end_mib) == (root.start_mib, data.start_mib)
    assert all(part.start_mib % 4 == 0 for part in (boot, root, data))


@given(st.integers(min_value=0, max_value=8 << 30))
def test_an_update_of_edge_fits_beside_the_system(root_bytes: int) -> None:
    """It takes 450 MB while the new environment is made, and its package of 140 MB."""
    _, root, _ = partitions(root_bytes)

    assert root.size_mib * MIB - root_bytes >= 590_000_000

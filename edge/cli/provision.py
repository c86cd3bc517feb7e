"""``edge provision``: a site file onto the boot partition of one card, or of a fleet's."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

import click

from edge.core.errors import ConfigError, EdgeError, UsageError
from edge.provision.card import Card, make_card
from edge.provision.site import load_site
from edge.provision.table import Row, read_table
from edge.provision.writing import write_to_boot, write_to_folder

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("site", type=_PATH)
@click.option("--boot", type=_PATH, help="The mounted boot partition of a card flashed with Raspberry Pi OS.")
@click.option("--out", type=_PATH, help="A folder: one folder per card in it, to be copied onto boot partitions later.")
@click.option("--table", type=_PATH, help="CSV whose columns are keys of the site file; one card per row.")
@click.option("--device", help="With --table: this row's card alone.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per card.")
def provision(
    *, site: Path, boot: Path | None, out: Path | None, table: Path | None, device: str | None, as_json: bool
) -> None:
    """Prepare memory cards from a site file: network, login, certificates, cameras, and edge itself.

    Without --boot or --out the site file and the table are checked, and nothing is written. The secrets on a card are
    wiped from its boot partition at the first start.
    """
    rows = _rows(table, device)
    if boot is not None and (out is not None or len(rows) != 1):
        raise UsageError("--boot writes one card: leave --out away, and pick a row of the table with --device NAME")
    cards = _make_all(site, rows, table)
    for card in cards:
        place = boot if boot is not None else out / card.device if out is not None else None
        written = _write(card, boot, place)
        _tell(card, place, written, as_json=as_json)


def _rows(table: Path | None, device: str | None) -> tuple[Row | None, ...]:
    if table is None:
        if device is not None:
            raise UsageError("--device picks a row of a table; name the table with --table FILE")
        return (None,)
    rows = read_table(table)
    if device is None:
        return rows
    picked = tuple(row for row in rows if row.device == device)
    if not picked:
        raise ConfigError(f"{table}: expected a row for {device!r}, found {', '.join(row.device for row in rows)}")
    return picked


def _make_all(site: Path, rows: tuple[Row | None, ...], table: Path | None) -> list[Card]:
    """All cards, or every reason why not: nothing is written while one of a fleet is wrong."""
    cards, reasons = [], []
    for row in rows:
        try:
            cards.append(make_card(load_site(site, row), f"edge-{secrets.token_hex(8)}"))
        except EdgeError as error:
            reasons.append(str(error) if row is None else f"{table}:{row.line}: {error}")
    if reasons:
        raise ConfigError("\n".join(reasons))
    return cards


def _write(card: Card, boot: Path | None, place: Path | None) -> int:
    if place is None:
        return 0
    return write_to_boot(card, place) if boot is not None else write_to_folder(card, place)


def _tell(card: Card, place: Path | None, written: int, *, as_json: bool) -> None:
    if as_json:
        files = [file.path for file in card.files]
        click.echo(json.dumps({"device": card.device, "place": place and str(place), "bytes": written, "files": files}))
    elif place is None:
        click.echo(f"{card.device}: good; nothing was written (name --boot or --out)")
    else:
        click.echo(f"{card.device}: {written / 1e6:.0f} MB in {place}")

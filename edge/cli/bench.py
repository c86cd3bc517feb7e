"""``edge bench``: what this machine makes of a model, and how much of it the whole path keeps."""

from __future__ import annotations

from pathlib import Path

import click

from edge.cli.options import model_option

_DEFAULT_SOURCE = "synthetic:"


@click.command()
@model_option
@click.option(
    "--source",
    default=_DEFAULT_SOURCE,
    show_default=True,
    help="As a camera's in the configuration; recordings are repeated and read as fast as they are wanted.",
)
@click.option("--seconds", type=click.FloatRange(0.5, 3600), default=10.0, show_default=True, help="Of measuring.")
@click.option(
    "--threads", type=click.IntRange(1, 64), help="For the model. [default: as `threads: auto` in the configuration]"
)
@click.option(
    "--overlap",
    type=click.Choice(["auto", "on", "off"]),
    default="auto",
    show_default=True,
    help="Run the model on the next frame while the one before is told.",
)
@click.option(
    "--wait", type=click.FloatRange(0, 3600), default=30.0, show_default=True, help="Seconds to wait for quiet."
)
@click.option("--cold-start/--no-cold-start", default=True, help="Measure fresh processes too.")
@click.option("--against", type=click.Path(path_type=Path), help="Compare with what --json wrote before.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--first-detection", is_flag=True, hidden=True)
def bench(
    *,
    model: str,
    source: str,
    seconds: float,
    threads: int | None,
    overlap: str,
    wait: float,
    cold_start: bool,
    against: Path | None,
    as_json: bool,
    first_detection: bool,
) -> int:
    """Measure the model alone and the whole path in turns, on this machine.

    Exit codes: 0 done; 1 worse than --against by more than 3 %; 75 the camera is away; 78 the model is wrong;
    2 wrong usage.
    """
    if first_detection:  # measured from outside, as the service's own start
        from edge.assemble.early import begin as begin_early

        begin_early(has_own_publisher=False)
    import msgspec

    from edge.assemble.bench import check_source
    from edge.assemble.threads import hand_over_quickly
    from edge.cli.bench_text import as_object, as_text
    from edge.cli.bench_work import make_setup, measure_all, see_first
    from edge.measure.bench_report import compare, read_reports

    hand_over_quickly()
    if against is not None:
        read_reports(against)  # a wrong file is told before the long work
    check_source(source)
    setup = make_setup(model, source, threads, overlap)
    if first_detection:
        click.echo(msgspec.json.encode(see_first(setup)))
        return 0
    report = measure_all(setup, seconds=seconds, wait=wait, cold_start=cold_start)
    differences = [] if against is None else compare(report, against)
    click.echo(msgspec.json.encode(as_object(report, differences)) if as_json else as_text(report, differences))
    return int(any(one.is_worse for one in differences))

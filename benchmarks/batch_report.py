"""The table of batches: a worker of each service beside the predictor alone."""

from collections.abc import Iterable, Sequence
from operator import attrgetter
from statistics import median

from rich.table import Table

from benchmarks.contestants import Contestant
from benchmarks.listings import BATCH
from benchmarks.no_server import Rate


def batches_table(contestants: Sequence[Contestant]) -> Table:
    """Return the table of services that got batches: medians, and the medians of the shares of each round."""
    table = Table(title=f"Batches of {BATCH:,} listings, a worker beside the predictor alone on the same listings")
    table.add_column("")
    for each in contestants:
        table.add_column(f"{each.name}: listings/s", justify="right")
        table.add_column("microseconds a listing", justify="right")
    table.add_row("batches", *_rates(each.batch_rates for each in contestants))
    for way, asked in (("one_by_one", "asked one by one"), ("in_batches", "asked for batches")):
        table.add_row(
            f"the predictor alone, {asked}", *_rates(map(attrgetter(way), each.alone) for each in contestants)
        )
        shares = [each.batch_share(attrgetter(way)) for each in contestants]
        table.add_row("- share of that", *(f"{part:.0%}" for share in shares for part in _parts(share)))
    for used, what in (("processor_seconds", "all workers"), ("client_seconds", "wrk")):
        cores = [median(getattr(load, used) / load.seconds for load in each.batches) for each in contestants]
        table.add_row(f"cores that {what} used", *(text for number in cores for text in (f"{number:.2f}", "")))
    return table


def _rates(of_contestants: Iterable[Iterable[Rate]]) -> list[str]:
    """Return the cells of two columns for each contestant."""
    return [f"{median(parts):,.0f}" for rates in of_contestants for parts in zip(*map(_parts, rates), strict=True)]


def _parts(rate: Rate) -> tuple[float, float]:
    return rate.per_second, rate.microseconds

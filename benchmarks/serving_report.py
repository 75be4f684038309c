"""The results of the serving benchmark, as tables for people and as JSON for programs."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from operator import attrgetter
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.batch_report import batches_table
from benchmarks.contestants import Contestant
from benchmarks.listings import REPEATED
from benchmarks.load import Load
from benchmarks.no_server import NoServer

_SERVED, _CONSTANT, _BARE = "run.py serve", "constant answer", "bare server"


@dataclass
class Results:
    """What was measured. `layers`: processor time (microseconds) of a request by layer, of each round."""

    machine: dict[str, Any]
    contestants: list[Contestant]
    rounds: int
    seconds: int
    no_server: NoServer | None = None
    layers: list[dict[str, float]] = field(default_factory=list)

    @property
    def measured(self) -> list[Contestant | NoServer]:
        """All rows of the table."""
        return [*self.contestants, *([self.no_server] if self.no_server else [])]

    def named(self, beginning: str, workers: int) -> Contestant | None:
        """Return the service of that kind with a number of workers."""
        found = (each for each in self.contestants if each.name.startswith(beginning) and each.workers == workers)
        return next(found, None)

    def share_of_limit(self, contestant: Contestant | NoServer, connections: int) -> float | None:
        """Return the requests a second as a share of those of the constant answer in as many workers."""
        limit = self.named(_CONSTANT, contestant.workers)
        if limit is None or not contestant.classifies or contestant is self.contestants[0]:
            return None
        return ratio(contestant.loads[connections], limit.loads[connections])


def show(results: Results) -> None:
    """Print the tables."""
    console = Console(width=max(Console().width, 140))  # also when the output goes to a file
    machine = results.machine
    console.print(
        f"{machine['cores']} cores ({machine['processor']}), shared with wrk; Python {machine['python']}; state on "
        f"{machine['file_system']}; load average before {machine['load_before']}"
    )
    console.print(_singles(results))
    if any(contestant.repeated for contestant in results.contestants):
        console.print(_repeated(results))
    if results.layers:
        for connections in sorted({min(_connections(results)), max(_connections(results))}):
            console.print(_layers(results, connections))
        console.print(f"A token that is new to a worker takes {_median_layers(results)['new token']:.0f} microseconds.")
    console.print(_services(results))
    if ours := [contestant for contestant in results.contestants if contestant.batches]:
        console.print(batches_table(ours))
    if errors := sum(load.errors for contestant in results.contestants for load in contestant.batches):
        console.print(f"{errors:,} batches were refused or broken.")


def _singles(results: Results) -> Table:
    base = results.contestants[0]
    table = _table(
        f"One listing a request, medians of {results.rounds} x {results.seconds} s",
        "connections", "what", "requests/s", f"times {base.name}", "of the constant answer", "p50 ms", "p99 ms",
        f"p99, times {base.name}", "repeated", "errors", "busy", left="what",
    )  # fmt: skip
    for connections in _connections(results):
        for each in results.measured:
            loads = each.loads[connections]
            share = results.share_of_limit(each, connections)
            table.add_row(
                str(connections) if each is base else "",
                each.name,
                f"{_median(loads, 'per_second'):,.0f}",
                f"{ratio(loads, base.loads[connections]):.2f}",
                "" if share is None else f"{share:.0%}",
                f"{_median(loads, 'p50_ms'):.1f}",
                f"{_median(loads, 'p99_ms'):.1f}",
                f"{ratio(loads, base.loads[connections], 'p99_ms'):.2f}",
                f"{repeated_share(loads):.0%}" if each.classifies and isinstance(each, Contestant) else "",
                f"{sum(load.errors for load in loads):,}",
                f"{_median(loads, 'busy'):g} of {each.workers}",
                end_section=each is results.measured[-1],
            )
    return table


def _repeated(results: Results) -> Table:
    most = max(_connections(results))
    base = results.contestants[0]
    columns = ("unseen, requests/s", f"{REPEATED} repeated, requests/s", "times unseen", f"times {base.name}, repeated")
    table = _table(f"The same {REPEATED} listings again and again, {most} connections", "what", *columns, left="what")
    for each in results.contestants:
        if each.repeated:
            unseen = each.loads[most]
            table.add_row(
                each.name,
                f"{_median(unseen, 'per_second'):,.0f}",
                f"{_median(each.repeated, 'per_second'):,.0f}",
                f"{ratio(each.repeated, unseen):.2f}",
                f"{ratio(each.repeated, base.repeated):.2f}",
            )
    return table


def _layers(results: Results, connections: int) -> Table:
    title = f"Processor time of a request by layer, one worker, {connections} connection{'s' * (connections > 1)}"
    table = _table(title, "layer", "microseconds", "share of the worker's", left="layer")
    by_layer, whole = layers_of_request(results, connections)
    for layer, microseconds in by_layer.items():
        table.add_row(layer, f"{microseconds:,.0f}", f"{microseconds / whole:.0%}")
    total = sum(by_layer.values())
    table.add_section()
    table.add_row("sum of the layers", f"{total:,.0f}", f"{total / whole:.0%}")
    table.add_row("rest: colder caches, limits of connections", f"{whole - total:,.0f}", f"{1 - total / whole:.0%}")
    table.add_row("measured: the worker", f"{whole:,.0f}", "100%")
    return table


def layers_of_request(results: Results, connections: int) -> tuple[dict[str, float], float]:
    """Return the processor time of each layer, and that of the worker of `run.py serve`: microseconds a request."""
    served, bare = results.named(_SERVED, 1), results.named(_BARE, 1)
    assert served
    assert bare
    whole, server = (_median(each.loads[connections], "microseconds") for each in (served, bare))
    measured = _median_layers(results)
    ledger = "ledger, alone" if connections == 1 else "ledger, many"
    inner = ("gate", "token", "routing", "JSON and validation", "model", "language, id and record", ledger)
    return {"server": server} | {layer: measured[layer] for layer in inner}, whole


def _median_layers(results: Results) -> dict[str, float]:
    return {layer: statistics.median(each[layer] for each in results.layers) for layer in results.layers[0]}


def _services(results: Results) -> Table:
    contestants = results.contestants
    table = _table("The services", "", *(contestant.name for contestant in contestants), left="")
    ledgers = [each if each.ledger else None for each in contestants]
    rows = {
        "cold start, s": [f"{statistics.median(each.starts):.1f}" for each in contestants],
        "resident memory of a worker, MiB": [f"{each.memory.rss:,.0f}" for each in contestants],
        "- of that shared with no other process": [f"{each.memory.uss:,.0f}" for each in contestants],
        "- the same of all its processes": [f"{each.memory.all_uss:,.0f}" for each in contestants],
        "predictions acknowledged": [f"{each.acknowledged:,}" if each else "" for each in ledgers],
        "- stored": [f"{each.stored:,}" if each else "" for each in ledgers],
        "- stored but cut by wrk, at most": [f"{each.in_flight:,}" if each else "" for each in ledgers],
    }
    for what, values in rows.items():
        if any(values):
            table.add_row(what, *values)
    return table


def figures(results: Results) -> dict[str, Any]:
    """Return all measurements."""
    connections = sorted({min(_connections(results)), max(_connections(results))}) if results.layers else []
    return {
        "machine": results.machine,
        "services": [_figures_of(results, each) for each in results.measured],
        "layers": [
            {"connections": number, "microseconds": layers, "measured_whole": whole}
            for number in connections
            for layers, whole in (layers_of_request(results, number),)
        ],
        "layer_rounds": results.layers,
    }


def _figures_of(results: Results, each: Contestant | NoServer) -> dict[str, Any]:
    base = results.contestants[0]
    answer: dict[str, Any] = {
        "what": each.name,
        "workers": each.workers,
        "single": [
            {
                "connections": connections,
                "requests_per_second": _median(loads, "per_second"),
                "times_the_first": ratio(loads, base.loads[connections]),
                "share_of_constant_answer": results.share_of_limit(each, connections),
                "p50_ms": _median(loads, "p50_ms"),
                "p99_ms": _median(loads, "p99_ms"),
                "p99_times_the_first": ratio(loads, base.loads[connections], "p99_ms"),
                "repeated_share": repeated_share(loads),
                "errors": sum(load.errors for load in loads),
                "busy_workers": _median(loads, "busy"),
                "rounds": [asdict(load) for load in loads],
            }
            for connections, loads in each.loads.items()
        ],
    }
    if isinstance(each, NoServer):
        return answer
    answer |= {"cold_start_seconds": each.starts, "memory_mib": asdict(each.memory)}
    if each.repeated:
        answer["repeated"] = {
            "listings": REPEATED,
            "requests_per_second": _median(each.repeated, "per_second"),
            "times_the_first": ratio(each.repeated, base.repeated),
            "rounds": [asdict(load) for load in each.repeated],
        }
    if each.batches:
        answer["batches"] = {
            "worker": [asdict(rate) for rate in each.batch_rates],
            "predictor_alone": [asdict(alone) for alone in each.alone],
            "share_of_one_by_one": asdict(each.batch_share(attrgetter("one_by_one"))),
            "share_of_in_batches": asdict(each.batch_share(attrgetter("in_batches"))),
            "rounds": [asdict(load) for load in each.batches],
        }
    if each.ledger:
        answer["predictions"] = {
            "acknowledged": each.acknowledged,
            "stored": each.stored,
            "lost": each.lost,
            "cut_by_wrk_at_most": each.in_flight,
        }
    return answer


def ratio(loads: Iterable[Load], base: Iterable[Load], attribute: str = "per_second") -> float:
    """Return an attribute (requests a second) relative to the base: the median of the ratios of each round."""
    pairs = zip(loads, base, strict=True)
    return float(statistics.median(getattr(load, attribute) / getattr(other, attribute) for load, other in pairs))


def repeated_share(loads: Sequence[Load]) -> float:
    """Return which share of the requests had a listing that the service had got before."""
    return sum(load.repeated for load in loads) / max(1, sum(load.sent for load in loads))


def _connections(results: Results) -> list[int]:
    return list(results.contestants[0].loads)


def _median(items: Iterable[Any], attribute: str) -> float:
    return float(statistics.median(getattr(item, attribute) for item in items))


def _table(title: str, *columns: str, left: str) -> Table:
    table = Table(title=title)
    for column in columns:
        table.add_column(column, justify="left" if column == left else "right", no_wrap=column == left)
    return table

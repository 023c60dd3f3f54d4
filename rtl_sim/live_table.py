"""The table of a co-simulation on the terminal: live while it runs, whole at its end."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from quantunet import tables
from quantunet.rtl_sim.report import (
    BROKEN,
    FAILED,
    LEFT_OUT,
    PASSED,
    RUNNING,
    WAITING,
    CosimReport,
    LayerReport,
    NetworkReport,
)

_STATES = {
    WAITING: ("·", "dim"),
    RUNNING: ("…", "yellow"),
    PASSED: ("ok", "green"),
    FAILED: ("FAIL", "bold red"),
    BROKEN: ("tool failed", "bold red"),
    LEFT_OUT: ("-", "dim"),
}
_DONE = (PASSED, FAILED, BROKEN, LEFT_OUT)


class LiveTable:
    """Shows a report while it fills; without a terminal it writes one line for each layer that is through.

    Args:
        console: Where to; the process's standard output if left out.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or tables.output()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.console,
        )
        self._task: TaskID = self._progress.add_task("comparisons", total=None)
        self._live = Live(console=self.console, refresh_per_second=4, transient=True)
        self._told: set[str] = set()

    def __enter__(self) -> LiveTable:
        if self.console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def update(self, report: CosimReport) -> None:
        """Show the state of a report."""
        legs = [leg for layer in report.layers for leg in (layer.hls, layer.rtl) if leg != LEFT_OUT]
        legs += [report.network_rtl.rtl] if report.network_rtl else []
        done = sum(leg in _DONE for leg in legs)
        description = f"{report.network}: {report.stage}" if report.stage else report.network
        self._progress.update(self._task, total=len(legs), completed=done, description=description)
        if self.console.is_terminal:
            network = [_network_line(report.network_rtl)] if report.network_rtl else []
            parts = tables.fitted(self.console, _table(report, report.layers))
            if len(report.layers) > self._room(len(parts)):
                parts = tables.fitted(self.console, _table(report, self._shown(report, len(parts))))
            self._live.update(Group(*parts, *network, self._progress))
            return
        if report.stage and report.stage not in self._told:
            self._told.add(report.stage)
            self.console.print(report.stage)
        for layer in report.layers:
            if layer.hls in _DONE and layer.rtl in _DONE and layer.name not in self._told:
                self._told.add(layer.name)
                self.console.print(f"{layer.name}: HLS {layer.hls}, RTL {layer.rtl}, {layer.seconds:.1f} s")

    def _room(self, parts: int) -> int:
        """How many layers fit on the screen, in a table that is printed in some parts."""
        return max(4, (self.console.height - 9) // parts - (parts > 1))

    def _shown(self, report: CosimReport, parts: int) -> list[LayerReport]:
        """Choose the layers that fit on the screen: first those at work, then those that are through."""
        room = self._room(parts)
        order = sorted(report.layers, key=lambda layer: (RUNNING not in (layer.hls, layer.rtl), layer.rtl == WAITING))
        chosen = {layer.name for layer in order[:room]}
        return [layer for layer in report.layers if layer.name in chosen]

    def summary(self, report: CosimReport) -> None:
        """Print the whole table, the network's line, and every failure with its waveform."""
        tables.show(self.console, _table(report, report.layers))
        if report.network_rtl:
            self.console.print(_network_line(report.network_rtl))
        if report.class_pixels:
            self.console.print(_classes_line(report))
        for name, problems, wave in report.failures():
            for problem in problems or ["did not run"]:
                self.console.print(Text(f"{name}: {problem}", style="red"))
            if wave:
                self.console.print(Text(f"{name}: waveform {wave}", style="red"))
        verdict = Text("PASSED", style="bold green") if report.passed else Text("FAILED", style="bold red")
        if not report.passed and not report.differs:
            verdict = Text("NOT COMPARED", style="bold red")
        inside = len(report.network_rtl.layers) if report.network_rtl else 0
        layers = max(len(report.layers), inside)
        count = f" {layers} layers, {report.values_compared} values compared in {report.seconds:.0f} s"
        self.console.print(verdict + Text(f" {report.network}:{count}"))

    def files(self, *paths: Path) -> None:
        """Print where the results are."""
        self.console.print(Text("   ".join(str(path) for path in paths), style="dim"), soft_wrap=True)


def _classes_line(report: CosimReport) -> Text:
    found = [f"{index}: {pixels}" for index, pixels in enumerate(report.class_pixels) if pixels]
    return Text(f"classes of the image  {len(report.class_pixels)}; pixels of those that occur  {', '.join(found)}")


def _state(leg: str, mismatches: int) -> Text:
    text, style = _STATES[leg]
    return Text(f"{text} {mismatches}" if mismatches else text, style=style)


def _table(report: CosimReport, layers: list[LayerReport]) -> Table:
    table = Table(title=f"{report.network} · {report.image}", title_justify="left", box=None, pad_edge=False)
    table.add_column("layer", no_wrap=True)
    table.add_column("op", no_wrap=True)
    for name in ("output", "bits w/x/y", "PE", "SIMD", "values", "HLS", "RTL", "cycles", "predicted", "ideal", "s"):
        table.add_column(name, justify="right", no_wrap=True)
    for layer in layers:
        table.add_row(
            layer.name,
            layer.op,
            "x".join(str(size) for size in layer.shape_out),
            f"{layer.bits_w or '-'}/{layer.bits_in}/{layer.bits_out}",
            str(layer.pe),
            str(layer.simd),
            str(layer.values_compared or ""),
            _state(layer.hls, layer.hls_mismatches),
            _state(layer.rtl, layer.rtl_mismatches),
            _cycles(layer),
            str(layer.cycles_predicted),
            str(layer.cycles_ideal),
            f"{layer.seconds:.1f}",
        )
    return table


def _cycles(layer: LayerReport) -> Text:
    exact = layer.cycles in (0, layer.cycles_predicted) or layer.stalls != "none"
    return Text(str(layer.cycles or ""), style="" if exact else "bold red")


def _network_line(network: NetworkReport) -> Text:
    line = Text("network  ") + _state(network.rtl, network.mismatches)
    frames = "1 frame" if network.frames == 1 else f"{network.frames} frames"
    line.append(f"  {frames}, {network.values_compared} values, mask {network.mask_pixels} pixels")
    line.append(f"; inside it {len(network.layers)} layers, {network.values_inside} values")
    line.append(f"\nfirst output {network.first_output} cycles (predicted {network.first_output_predicted or '-'})")
    if network.frames > 1:
        line.append(f", frame interval {network.frame_interval} (predicted {network.frame_interval_predicted or '-'})")
        if network.frame_interval_predicted != network.frame_interval_ideal:
            line.append(f", {network.frame_interval_ideal} in the long run")
    fills = ", ".join(f"{name} {fill}/{depth}" for name, (depth, fill) in network.fifo_max_fill.items())
    line.append(f"\nFIFO fill  {fills}" if fills else "")
    return line

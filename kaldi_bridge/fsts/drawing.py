"""FSTs as graphs for graphviz's dot, as OpenFst draws them (script/draw-impl.h)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.symbols import Symbols
from kaldi_bridge.io.text import decode


@dataclass
class Layout:
    """Flags of fstdraw."""

    title: str
    width: float
    height: float
    portrait: bool
    vertical: bool
    ranksep: float
    nodesep: float
    fontsize: int
    precision: int
    float_format: str
    show_weight_one: bool

    def number(self, value: float) -> str:
        """As C++ prints it."""
        if value in (float("inf"), float("-inf")):
            return "Infinity" if value > 0 else "-Infinity"
        return f"{value:.{self.precision}{self.float_format}}"


def drawing(
    fst: Fst,
    isymbols: Symbols | None,
    osymbols: Symbols | None,
    ssymbols: Symbols | None,
    acceptor: bool,
    layout: Layout,
) -> str:
    """The graph, empty for an FST without a start. ``acceptor``: one label on each arc, where that is all there is."""
    if fst.start < 0:
        return ""
    ilabels, olabels, states = map(_names, (isymbols, osymbols, ssymbols))
    one_label = acceptor and bool((fst.arcs["ilabel"] == fst.arcs["olabel"]).all())
    number, size = layout.number, layout.fontsize

    def cost(value: float) -> str:
        return f"/{number(value)}" if value or layout.show_weight_one else ""

    lines = [
        "digraph FST {",
        "rankdir = BT;" if layout.vertical else "rankdir = LR;",
        f'size = "{number(layout.width)},{number(layout.height)}";',
        *([f'label = "{layout.title}";'] if layout.title else []),
        "center = 1;",
        "orientation = Portrait;" if layout.portrait else "orientation = Landscape;",
        f'ranksep = "{number(layout.ranksep)}";',
        f'nodesep = "{number(layout.nodesep)}";',
    ]
    for s in [fst.start, *(s for s in range(fst.num_states) if s != fst.start)]:
        final = float(fst.finals[s])
        is_final, style = final != float("inf"), "bold" if s == fst.start else "solid"
        shape, label = "doublecircle" if is_final else "circle", _name(s, states) + (cost(final) if is_final else "")
        lines.append(f'{s} [label = "{label}", shape = {shape}, style = {style}, fontsize = {size}]')
        for ilabel, olabel, weight, target in fst.arcs_of(s).tolist():
            label = _name(ilabel, ilabels) + ("" if one_label else ":" + _name(olabel, olabels)) + cost(weight)
            lines.append(f'\t{s} -> {target} [label = "{label}", fontsize = {size}];')
    return "\n".join([*lines, "}", ""])


def _names(symbols: Symbols | None) -> dict[int, str] | None:
    if symbols is None:
        return None
    return {number: decode(name).replace("\\", "\\\\").replace('"', '\\"') for name, number in symbols.entries()}


def _name(number: int, names: Mapping[int, str] | None) -> str:
    if names is None:
        return str(number)
    if number not in names:
        raise KaldiError(f"FstDrawer: Integer {number} is not mapped to any textual symbol")
    return names[number]

"""The layouts of a graph for any number of requests, planned as seldom as may be."""

from __future__ import annotations

import math

from nnet3_compat.structure.graph import Graph
from nnet3_compat.structure.layout import Layout, LayoutTable, make_table, plan_layout
from nnet3_compat.structure.request import Request
from nnet3_compat.structure.timeset import Fix, RoundDown, Shift

MAX_LAYOUTS = 64  # that are kept


class Layouts:
    """``graph``: of the output nodes that all requests ask for."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._layouts: dict[Request, Layout] = {}
        self._tables: dict[Request, LayoutTable | None] = {}  # by requests for no output frame

    def layout(self, request: Request) -> Layout:
        """The layout for a request; those that were asked for lately are kept.

        Raises:
            KaldiError: an output frame cannot be computed from the inputs.
        """
        made = self._layouts.get(request)
        if made is None:
            table = self._tables.get(request.resized(0))
            if table is not None and request.num_outputs >= table.minimum:
                made = table.layout(request.num_outputs)
            else:
                made = plan_layout(self._graph, request)
            if len(self._layouts) >= MAX_LAYOUTS:
                self._layouts.pop(next(iter(self._layouts)))
            self._layouts[request] = made
        return made

    def table(self, request: Request) -> LayoutTable | None:
        """Layouts for any number of outputs, else as requested; ``layout`` uses them from then on.

        None: they are not affine in that number.
        """
        key = request.resized(0)
        if key not in self._tables:
            graph, turn, reach = self._graph, 1, 0
            for group in graph.groups:
                for i in group.members:
                    for leaf in graph.values[i].leaves():
                        for m in leaf.maps:
                            if isinstance(m, RoundDown) or hasattr(m, "modulus"):
                                turn = math.lcm(turn, m.modulus)
                            elif isinstance(m, Shift) and group.direction != 0 and m.offset:
                                turn = math.lcm(turn, abs(m.offset))
                            elif isinstance(m, Fix):
                                reach = max(reach, abs(m.value))
            period = turn // math.gcd(turn, request.factor)
            minimum = (request.left + request.right + reach + 2 * turn) // request.factor + 2
            self._tables[key] = make_table(lambda n: plan_layout(graph, request.resized(n)), period, minimum)
        return self._tables[key]

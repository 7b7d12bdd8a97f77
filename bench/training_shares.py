"""Where the time of a training step goes: processor time of each of its parts, and how fast its matrix products are.

    python bench/training.py --shares

Functions of the trainer are parts; PyTorch's operations count for the part that calls them, matrix products apart from
the rest. What neither a part nor a product is, is what Python and autograd take. What it costs to see each operation is
measured beforehand, and taken off.
"""

from __future__ import annotations

import functools
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import torch
from torch.utils._python_dispatch import TorchDispatchMode

T = TypeVar("T")
PRODUCTS = {"mm", "addmm", "addmm_", "bmm", "baddbmm"}
OTHER = "the rest"


class Shares(TorchDispatchMode):
    """Measures while it is entered: ``with Shares() as shares: ...``, functions wrapped by ``part`` before.

    Attributes:
        seconds: (part, whether in a matrix product) -> processor time.
        products: (rows, inner, columns) -> [seconds, number of products].
        cost: seconds that are taken off for each operation of PyTorch.
    """

    def __init__(self) -> None:
        super().__init__()
        self.seconds: dict[tuple[str, bool], float] = defaultdict(float)
        self.cost = 0.0
        self.products: dict[tuple[int, int, int], list[float]] = defaultdict(lambda: [0.0, 0.0])
        self._parts = [OTHER]
        self._since = 0.0

    def __enter__(self) -> Shares:
        super().__enter__()
        self._since = time.process_time()
        return self

    def __exit__(self, *reason: Any) -> None:
        self._switch()
        super().__exit__(*reason)

    def forget(self) -> None:
        """What was measured so far: the first time, much is loaded and laid out."""
        self._switch()
        self.seconds.clear()
        self.products.clear()

    def _switch(self, product: bool = False) -> float:
        """Books the time since the last switch to the present part."""
        now = time.process_time()
        passed, self._since = now - self._since, now
        self.seconds[self._parts[-1], product] += passed
        return passed

    def part(self, owner: Any, name: str, title: str) -> None:
        """Makes a function of a class or module a part."""
        raw = owner.__dict__[name] if isinstance(owner, type) else getattr(owner, name)
        function = raw.__func__ if isinstance(raw, staticmethod) else raw

        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            self._switch()
            self._parts.append(title)
            try:
                return function(*args, **kwargs)
            finally:
                self._switch()
                self._parts.pop()

        setattr(owner, name, staticmethod(timed) if isinstance(raw, staticmethod) else timed)

    def each(self, items: Iterable[T], title: str) -> Iterator[T]:
        """The items, whose making is a part."""
        iterator = iter(items)
        while True:
            self._switch()
            self._parts.append(title)
            try:
                item = next(iterator, None)
            finally:
                self._switch()
                self._parts.pop()
            if item is None:
                return
            yield item

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        self.seconds[self._parts[-1], False] -= self.cost
        if name not in PRODUCTS:
            return func(*args, **(kwargs or {}))
        self._switch()
        made = func(*args, **(kwargs or {}))
        left = args[0] if name in ("mm", "bmm") else args[1]
        seconds, times = self._switch(product=True), left.shape[0] if left.dim() == 3 else 1
        self._count(left.shape[-2], left.shape[-1], made.shape[-1], seconds, times)
        return made

    def products_of(self, module: Any) -> None:
        """Counts those of our own too, of nnet3_compat.modules._csrc."""
        multiply = module.multiply

        def timed(a: Any, b: Any, *rest: Any) -> None:
            self._switch()
            multiply(a, b, *rest)
            self._count(a.shape[0], a.shape[1], b.shape[1], self._switch(product=True))

        module.multiply = timed

    def _count(self, rows: int, inner: int, columns: int, seconds: float, times: int = 1) -> None:
        entry = self.products[rows, inner, columns]
        entry[0] += seconds
        entry[1] += times

    def report(self, minibatches: int, peak: float) -> str:
        """A table of the parts, and one of the products; ``peak``: GFLOP/s of a large square product."""
        total = sum(self.seconds.values())
        lines = [f"{'part of a minibatch':<44}{'ms':>9}{'share':>8}"]

        def row(title: str, seconds: float) -> None:
            lines.append(f"{title:<44}{1000 * seconds / minibatches:9.1f}{100 * seconds / total:7.1f}%")

        of_part = {title: self.seconds[title, True] + self.seconds[title, False] for title, _ in [*self.seconds]}
        for title in sorted(of_part, key=of_part.__getitem__, reverse=True):
            for product, suffix in ((True, ": matrix products"), (False, "")):
                if self.seconds[title, product] > 0.0005 * total:
                    row(title + suffix, self.seconds[title, product])
        row("all", total)
        row("all matrix products", sum(s for (_, product), s in self.seconds.items() if product))
        lines.append(f"{'product':<44}{'ms':>9}{'GFLOP/s':>8}{'of peak':>9}")
        for shape, (seconds, count) in sorted(self.products.items(), key=lambda item: -item[1][0])[:16]:
            speed = 2e-9 * shape[0] * shape[1] * shape[2] * count / seconds
            title = f"{count / minibatches:5.1f} x [{shape[0]}, {shape[1]}] [{shape[1]}, {shape[2]}]"
            lines.append(f"{title:<44}{1000 * seconds / minibatches:9.1f}{speed:8.0f}{100 * speed / peak:8.0f}%")
        flops = sum(2e-9 * m * k * n * count for (m, k, n), (_, count) in self.products.items())
        spent = sum(seconds for seconds, _ in self.products.values())
        speed = flops / spent
        lines.append(f"{'all':<44}{1000 * spent / minibatches:9.1f}{speed:8.0f}{100 * speed / peak:8.0f}%")
        return "\n".join(lines)


def cost_of_an_operation(shares: Shares) -> float:
    """Processor time that a small operation takes longer when it is seen."""
    x, rounds = torch.ones(4), 2000

    def many() -> float:
        start = time.process_time()
        for _ in range(rounds):
            x.add_(1.0)
        return (time.process_time() - start) / rounds

    alone = min(many() for _ in range(3))
    with shares:
        taken = [many() for _ in range(3)]
    return max(min(taken) - alone, 0.0)

"""Statistics over a window of time: ``config=mean+stddev(-99:3:9:99)`` is left:input period:output period:right."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from nnet3_compat.xconfig.layer import Layer, Options

_CONFIG = re.compile(r"(mean|mean\+stddev|mean\+count|mean\+stddev\+count)\((-?\d+):(-?\d+):(-?\d+):(-?\d+)\)")


class StatsLayer(Layer):
    """Means, and standard deviations, over a stretch of time."""

    TYPES = ("stats-layer",)
    OPTIONS: ClassVar[Options] = {"input": "[-1]", "dim": -1, "config": ""}

    def derive(self) -> None:
        match = _CONFIG.search(self.config["config"])
        if match is None:
            raise self.fail("config must be like mean+stddev+count(-99:3:9:99)")
        kinds = match[1].split("+")
        self.stddev, self.count = "stddev" in kinds, "count" in kinds
        self.left, self.input_period, self.period, self.right = -int(match[2]), *(int(match[i]) for i in (3, 4, 5))
        dim = self.input_dim * (1 + self.stddev) + self.count
        self.expect(self.config["dim"] <= 0 or self.config["dim"] == dim, f"dim must be {dim}, or left out")
        self.config["dim"] = dim

    def check(self) -> None:
        left, period = self.left, self.period
        self.expect(
            left >= 0 and self.right >= 0 and self.input_period > 0 and period > 0
            and left % period == 0 and self.right % period == 0 and period % self.input_period == 0,
            f"config={self.config['config']}: contexts must be multiples of the output period, and that of the input's",
        )  # fmt: skip

    def output_name(self, auxiliary: str | None = None) -> str:
        return f"Round({self.name}-pooling-{self.left}-{self.right}, {self.period})"

    def output_dim(self, auxiliary: str | None = None) -> int:
        return int(self.config["dim"])

    def lines(self) -> Iterator[str]:
        window, stddev = f"{self.left}-{self.right}", "true" if self.stddev else "false"
        extraction, pooling = f"{self.name}-extraction-{window}", f"{self.name}-pooling-{window}"
        yield (
            f"component name={extraction} type=StatisticsExtractionComponent input-dim={self.input_dim} "
            f"input-period={self.input_period} output-period={self.period} include-variance={stddev} "
        )
        yield f"component-node name={extraction} component={extraction} input={self.input} "
        yield (
            f"component name={pooling} type=StatisticsPoolingComponent "
            f"input-dim={1 + self.input_dim * (1 + self.stddev)} input-period={self.period} left-context={self.left} "
            f"right-context={self.right} num-log-count-features={int(self.count)} output-stddevs={stddev} "
        )
        yield f"component-node name={pooling} component={pooling} input={extraction} "

"""Mean and standard deviation over time: extraction, then pooling (Kaldi: nnet3/nnet-general-component.cc)."""

from __future__ import annotations

from kaldi_bridge.errors import KaldiError
from nnet3_compat.components.base import Component
from nnet3_compat.components.config import MAX_DIM, Keys
from nnet3_compat.components.fields import BOOL, FLOAT, INT, Field
from nnet3_compat.components.taps import Taps

MAX_CONTEXT = 10_000_000
"""More frames than any recording has; keeps damaged files from asking for endless lists of input times."""
MAX_TAPS = 100_000
"""More than can be computed."""


def _every(period: int, first: int, end: int) -> tuple[int, ...]:
    if end - first > MAX_TAPS * period:
        raise KaldiError(f"statistics over {end - first} frames are more than can be computed")
    return tuple(range(first, end, period))


class StatisticsExtractionComponent(Component):
    """Count, sum and (``include_variance``) sum of squares over the ``output_period`` frames that t belongs to.

    Of the frames from t rounded down to a multiple of ``output_period`` on, each ``input_period``-th is used, if there.
    """

    TYPE = "StatisticsExtractionComponent"
    FIELDS = (
        Field("<InputDim>", INT, "input_dim"),
        Field("<InputPeriod>", INT, "input_period"),
        Field("<OutputPeriod>", INT, "output_period"),
        Field("<IncludeVarinance>", BOOL, "include_variance"),  # sic
    )

    input_dim: int = -1
    input_period: int = 1
    output_period: int = 1
    include_variance: bool = True

    @property
    def output_dim(self) -> int:
        return 1 + self.input_dim + (self.input_dim if self.include_variance else 0)

    def taps(self) -> Taps:
        return Taps(_every(self.input_period, 0, self.output_period), any_of=True, period=self.output_period)

    def check(self) -> None:
        self.expect(self.input_dim > 0, "input-dim must be above zero")
        self.expect(self.input_period > 0 and 0 < self.output_period <= MAX_CONTEXT, "periods must be above zero")
        self.expect(self.output_period % self.input_period == 0, "input-period must divide output-period")

    def configure(self, keys: Keys) -> None:
        self.input_dim = keys.positive("input-dim")
        self.input_period = keys.positive_or("input-period", 1)
        self.output_period = keys.positive_or("output-period", 1)
        self.include_variance = keys.get("include-variance", bool, True)


class StatisticsPoolingComponent(Component):
    """Moving mean and (``output_stddevs``) standard deviation of the counts and sums that extraction gives.

    Outputs exist at multiples of ``input_period`` only; the first ``num_log_count_features`` dimensions repeat the log
    of the count.
    """

    TYPE = "StatisticsPoolingComponent"
    FIELDS = (
        Field("<InputDim>", INT, "input_dim"),
        Field("<InputPeriod>", INT, "input_period"),
        Field("<LeftContext>", INT, "left_context"),
        Field("<RightContext>", INT, "right_context"),
        Field("<NumLogCountFeatures>", INT, "num_log_count_features"),
        Field("<OutputStddevs>", BOOL, "output_stddevs"),
        Field("<VarianceFloor>", FLOAT, "variance_floor"),
    )

    input_dim: int = -1
    input_period: int = 1
    left_context: int = -1
    right_context: int = -1
    num_log_count_features: int = 0
    output_stddevs: bool = False
    variance_floor: float = 1.0e-10

    @property
    def output_dim(self) -> int:
        return self.input_dim + self.num_log_count_features - 1

    def taps(self) -> Taps:
        offsets = _every(self.input_period, -self.left_context, self.right_context + 1)
        return Taps(offsets, any_of=True, multiple_of=self.input_period)

    def check(self) -> None:
        left, right, period = self.left_context, self.right_context, self.input_period
        self.expect(self.input_dim > 1, "input-dim must be above one: the count, and sums")
        self.expect(period > 0, "input-period must be above zero")
        self.expect(min(left, right) >= 0 < left + right <= MAX_CONTEXT, "contexts must not be negative, nor both zero")
        self.expect(left % period == 0 and right % period == 0, "input-period must divide the contexts")
        self.expect(0 <= self.num_log_count_features <= MAX_DIM, "num-log-count-features must not be negative")
        self.expect(0.0 < self.variance_floor < 1.0, "variance-floor must be between 0 and 1")
        odd = self.input_dim % 2 == 1
        self.expect(odd or not self.output_stddevs, "with output-stddevs, input-dim must be odd: count, sums, squares")

    def configure(self, keys: Keys) -> None:
        self.input_dim = keys.positive("input-dim")
        self.input_period = keys.positive_or("input-period", 1)
        self.left_context = keys.get("left-context", int, -1)
        self.right_context = keys.get("right-context", int, -1)
        self.num_log_count_features = keys.get("num-log-count-features", int, 0)
        self.output_stddevs = keys.get("output-stddevs", bool, False)
        self.variance_floor = keys.get("variance-floor", float, 1.0e-10)

"""Components that act on derivatives only (Kaldi: nnet-simple-component.cc, nnet-general-component.cc)."""

from __future__ import annotations

from nnet3_compat.components.base import Component
from nnet3_compat.components.config import Keys
from nnet3_compat.components.fields import BOOL, DOUBLE, FLOAT, INT, VECTOR, Field, legacy
from nnet3_compat.components.summary import boolean, number


class IdentityComponent(Component):
    """Passes on its input, but for what it does to derivatives."""

    dim: int = -1

    @property
    def is_identity(self) -> bool:
        return True

    @property
    def input_dim(self) -> int:
        return self.dim

    output_dim = input_dim

    def check(self) -> None:
        self.expect(self.dim > 0, "dim must be above zero")


class NoOpComponent(IdentityComponent):
    """Derivatives times ``backprop_scale``."""

    TYPE = "NoOpComponent"
    FIELDS = (
        Field("<Dim>", INT, "dim"),
        # It once was a nonlinearity, with statistics.
        legacy("<ValueAvg>", VECTOR),
        legacy("<DerivAvg>", VECTOR),
        legacy("<Count>", FLOAT),
        legacy("<OderivRms>", VECTOR),
        legacy("<OderivCount>", FLOAT),
        legacy("<NumDimsSelfRepaired>", FLOAT),
        legacy("<NumDimsProcessed>", FLOAT),
        Field("<BackpropScale>", FLOAT, "backprop_scale", optional=True),
    )

    backprop_scale: float = 1.0

    def configure(self, keys: Keys) -> None:
        self.backprop_scale = keys.get("backprop-scale", float, 1.0)
        self.dim = keys.positive("dim")

    def info(self) -> str:
        text = f"{self.TYPE}, dim={self.dim}"
        return text + (f", backprop-scale={number(self.backprop_scale)}" if self.backprop_scale != 1.0 else "")


class ClipGradientComponent(IdentityComponent):
    """Derivatives are clipped, by element or by the norm of the frame."""

    TYPE = "ClipGradientComponent"
    FIELDS = (
        Field("<Dim>", INT, "dim"),
        Field("<ClippingThreshold>", FLOAT, "clipping_threshold"),
        Field("<NormBasedClipping>", BOOL, "norm_based_clipping"),
        Field(
            "<SelfRepairClippedProportionThreshold>", FLOAT, "self_repair_clipped_proportion_threshold", optional=True
        ),
        Field("<SelfRepairTarget>", FLOAT, "self_repair_target", optional=True),
        Field("<SelfRepairScale>", FLOAT, "self_repair_scale", optional=True),
        Field("<NumElementsClipped>", INT, "num_clipped"),
        Field("<NumElementsProcessed>", INT, "count"),
        Field("<NumSelfRepaired>", INT, "num_self_repaired", optional=True),
        Field("<NumBackpropped>", INT, "num_backpropped", optional=True),
    )
    STATS = ("count", "num_clipped")

    clipping_threshold: float = -1.0
    norm_based_clipping: bool = False
    self_repair_clipped_proportion_threshold: float = 1.0
    self_repair_target: float = 0.0
    self_repair_scale: float = 0.0
    num_clipped: int = 0
    count: int = 0
    num_self_repaired: int = 0
    num_backpropped: int = 0

    def configure(self, keys: Keys) -> None:
        self.dim = keys.positive("dim")
        self.clipping_threshold = keys.not_negative_or("clipping-threshold", 15.0)
        self.norm_based_clipping = keys.get("norm-based-clipping", bool, False)
        key = "self-repair-clipped-proportion-threshold"
        self.self_repair_clipped_proportion_threshold = keys.not_negative_or(key, 0.01)
        self.self_repair_target = keys.not_negative_or("self-repair-target", 0.0)
        self.self_repair_scale = keys.not_negative_or("self-repair-scale", 1.0)

    def zero_stats(self) -> None:
        super().zero_stats()
        self.num_self_repaired = self.num_backpropped = 0

    def info(self) -> str:
        proportion = self.num_clipped / self.count if self.count > 0 else 0.0
        text = (
            f"{self.TYPE}, dim={self.dim}, norm-based-clipping={boolean(self.norm_based_clipping)}"
            f", clipping-threshold={number(self.clipping_threshold)}, clipped-proportion={number(proportion)}"
        )
        if self.self_repair_scale != 0.0:
            text += (
                ", self-repair-clipped-proportion-threshold="
                f"{number(self.self_repair_clipped_proportion_threshold)}"
                f", self-repair-target={number(self.self_repair_target)}"
                f", self-repair-scale={number(self.self_repair_scale)}"
            )
        return text


class BackpropTruncationComponent(IdentityComponent):
    """Output times ``scale_factor``; derivatives are clipped, and zeroed now and then along time."""

    TYPE = "BackpropTruncationComponent"
    FIELDS = (
        Field("<Dim>", INT, "dim"),
        Field("<Scale>", FLOAT, "scale_factor", optional=True),
        Field("<ClippingThreshold>", FLOAT, "clipping_threshold"),
        Field("<ZeroingThreshold>", FLOAT, "zeroing_threshold"),
        Field("<ZeroingInterval>", INT, "zeroing_interval"),
        Field("<RecurrenceInterval>", INT, "recurrence_interval"),
        Field("<NumElementsClipped>", DOUBLE, "num_clipped"),
        Field("<NumElementsZeroed>", DOUBLE, "num_zeroed"),
        Field("<NumElementsProcessed>", DOUBLE, "count"),
        Field("<NumZeroingBoundaries>", DOUBLE, "count_zeroing_boundaries"),
    )
    STATS = ("count", "count_zeroing_boundaries", "num_clipped", "num_zeroed")
    uses_times = True

    scale_factor: float = 1.0
    """Kaldi's ``scale_``; ``scale`` is the method that every component has."""
    clipping_threshold: float = -1.0
    zeroing_threshold: float = -1.0
    zeroing_interval: int = 0
    recurrence_interval: int = 0
    num_clipped: float = 0.0
    num_zeroed: float = 0.0
    count: float = 0.0
    count_zeroing_boundaries: float = 0.0

    @property
    def is_identity(self) -> bool:
        return self.scale_factor == 1.0

    def configure(self, keys: Keys) -> None:
        self.dim = keys.positive("dim")
        self.scale_factor = keys.get("scale", float, 1.0)
        keys.expect(self.scale_factor > 0.0, "scale must be above zero")
        self.clipping_threshold = keys.not_negative_or("clipping-threshold", 30.0)
        self.zeroing_threshold = keys.not_negative_or("zeroing-threshold", 15.0)
        self.zeroing_interval = keys.positive_or("zeroing-interval", 20)
        self.recurrence_interval = keys.positive_or("recurrence-interval", 1)

    def info(self) -> str:
        boundaries = self.count_zeroing_boundaries
        clipped = self.num_clipped / self.count if self.count > 0.0 else 0.0
        zeroed = self.num_zeroed / boundaries if boundaries > 0.0 else 0.0
        return (
            f"{self.TYPE}, dim={self.dim}, scale={number(self.scale_factor)}, count={number(self.count, 3)}"
            f", recurrence-interval={self.recurrence_interval}"
            f", clipping-threshold={number(self.clipping_threshold)}, clipped-proportion={number(clipped)}"
            f", zeroing-threshold={number(self.zeroing_threshold)}, zeroing-interval={self.zeroing_interval}"
            f", zeroed-proportion={number(zeroed)}, count-zeroing-boundaries={number(int_or_zero(boundaries), 10)}"
        )


def int_or_zero(value: float) -> int:
    """Truncated; counts from damaged files (inf, nan) as 0."""
    return int(value) if abs(value) < 2**31 else 0

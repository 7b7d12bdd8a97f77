"""Dropout in its variants (Kaldi: nnet-simple-component.cc, nnet-general-component.cc)."""

from __future__ import annotations

from nnet3_compat.components.base import Component
from nnet3_compat.components.config import Keys
from nnet3_compat.components.fields import BOOL, FLOAT, INT, PRESENT, Field, nonzero
from nnet3_compat.components.summary import boolean, number
from nnet3_compat.components.taps import Taps


class RandomComponent(Component):
    """Random in training, deterministic in ``test_mode``."""

    is_random = True
    test_mode: bool = False

    def set_test_mode(self, test_mode: bool) -> None:
        """In test mode nothing is drawn: a scale of the expected value, or the identity (SetTestMode)."""
        self.test_mode = test_mode


class DropoutProportionComponent(RandomComponent):
    """Has a proportion that schedules and edits change."""

    dropout_proportion: float = 0.5


class DropoutComponent(DropoutProportionComponent):
    """Zero elements, or whole frames, with probability ``dropout_proportion`` p; times 1 - p in test mode."""

    TYPE = "DropoutComponent"
    FIELDS = (
        Field("<Dim>", INT, "dim"),
        Field("<DropoutProportion>", FLOAT, "dropout_proportion"),
        Field("<DropoutPerFrame>", BOOL, "dropout_per_frame", optional=True),
        Field("<TestMode>", BOOL, "test_mode", optional=True),
    )

    dim: int = -1
    dropout_proportion: float = 0.0
    dropout_per_frame: bool = False

    @property
    def input_dim(self) -> int:
        return self.dim

    output_dim = input_dim

    def check(self) -> None:
        self.expect(self.dim > 0, "dim must be above zero")

    def configure(self, keys: Keys) -> None:
        self.dim = keys.positive("dim")
        self.dropout_proportion = keys.need("dropout-proportion", float)
        keys.expect(0.0 <= self.dropout_proportion <= 1.0, "dropout-proportion must be between 0 and 1")
        self.dropout_per_frame = keys.get("dropout-per-frame", bool, False)
        self.test_mode = keys.get("test-mode", bool, False)

    def info(self) -> str:
        return (
            f"{self.TYPE}, dim={self.dim}, dropout-proportion={number(self.dropout_proportion)}"
            f", dropout-per-frame={boolean(self.dropout_per_frame)}"
        )


class DropoutMaskComponent(DropoutProportionComponent):
    """Reads no input: its output is the mask, ``1 - dropout_proportion`` in test mode (1 when ``continuous``)."""

    TYPE = "DropoutMaskComponent"
    FIELDS = (
        Field("<OutputDim>", INT, "output_dim"),
        Field("<DropoutProportion>", FLOAT, "dropout_proportion"),
        Field("<TestMode>", BOOL, "test_mode", optional=True),
        Field("<Continuous>", PRESENT, "continuous", when=nonzero("continuous")),
    )

    output_dim: int = -1
    continuous: bool = False

    @property
    def input_dim(self) -> int:
        return self.output_dim

    @property
    def expected(self) -> float:
        """All of its output in test mode."""
        return 1.0 if self.continuous else 1.0 - self.dropout_proportion

    def taps(self) -> Taps:
        return Taps(())

    def check(self) -> None:
        self.expect(self.output_dim > 0, "output-dim must be above zero")

    def configure(self, keys: Keys) -> None:
        self.output_dim = keys.positive("output-dim")
        self.dropout_proportion = keys.get("dropout-proportion", float, 0.5)
        self.continuous = keys.get("continuous", bool, False)
        self.test_mode = keys.get("test-mode", bool, False)

    def info(self) -> str:
        text = f"{self.TYPE}, output-dim={self.output_dim}, dropout-proportion={number(self.dropout_proportion)}"
        return text + (", continuous=true" if self.continuous else "")


class GeneralDropoutComponent(DropoutProportionComponent):
    """Dropout with a mask shared over ``time_period`` frames (0: the whole sequence), or SpecAugment over frequencies.

    Identity in test mode.
    """

    TYPE = "GeneralDropoutComponent"
    FIELDS = (
        Field("<Dim>", INT, "dim"),
        Field("<BlockDim>", INT, "block_dim"),
        Field("<TimePeriod>", INT, "time_period"),
        Field("<DropoutProportion>", FLOAT, "dropout_proportion"),
        Field(
            "<SpecAugmentMaxProportion>",
            FLOAT,
            "specaugment_max_proportion",
            when=nonzero("specaugment_max_proportion"),
        ),
        Field(
            "<SpecAugmentMaxRegions>",
            INT,
            "specaugment_max_regions",
            when=lambda c: c.specaugment_max_proportion != 0.0 and c.specaugment_max_regions != 1,
        ),
        Field("<TestMode>", PRESENT, "test_mode", when=nonzero("test_mode")),
        Field("<Continuous>", PRESENT, "continuous", when=nonzero("continuous")),
    )

    is_identity = True

    dim: int = -1
    block_dim: int = -1
    time_period: int = 0
    specaugment_max_proportion: float = 0.0
    specaugment_max_regions: int = 1
    continuous: bool = False

    @property
    def input_dim(self) -> int:
        return self.dim

    output_dim = input_dim

    def check(self) -> None:
        self.expect(self.dim > 0, "dim must be above zero")
        self.expect(self.block_dim > 0 and self.dim % self.block_dim == 0, "block-dim must divide dim")

    def configure(self, keys: Keys) -> None:
        self.dim = keys.positive("dim")
        self.block_dim = keys.positive_or("block-dim", self.dim)
        self.time_period = keys.get("time-period", int, 0)
        self.dropout_proportion = keys.get("dropout-proportion", float, 0.5)
        self.specaugment_max_proportion = keys.get("specaugment-max-proportion", float, 0.0)
        self.specaugment_max_regions = keys.get("specaugment-max-regions", int, 1)
        self.continuous = keys.get("continuous", bool, False)
        self.test_mode = keys.get("test-mode", bool, False)
        if self.specaugment_max_proportion != 0.0:
            inside = 0.0 <= self.specaugment_max_proportion <= 1.0
            keys.expect(inside, "specaugment-max-proportion must be between 0 and 1")
            keys.expect(not self.continuous, "SpecAugment cannot be continuous")
            keys.expect(self.specaugment_max_regions >= 1, "specaugment-max-regions must be above zero")

    def info(self) -> str:
        text = (
            f"{self.TYPE}, dim={self.dim}, block-dim={self.block_dim}"
            f", dropout-proportion={number(self.dropout_proportion)}"
        )
        if self.continuous:
            text += ", continuous=true"
        if self.specaugment_max_proportion != 0.0:
            text += (
                f", specaugment-max-proportion={number(self.specaugment_max_proportion)}"
                f", specaugment-max-regions={self.specaugment_max_regions}"
            )
        return text + (f", time-period={self.time_period}" if self.time_period > 0 else "")


class SpecAugmentTimeMaskComponent(RandomComponent):
    """Zero stretches of up to ``time_mask_max_frames`` frames, ``zeroed_proportion`` of all; not in test mode."""

    TYPE = "SpecAugmentTimeMaskComponent"
    FIELDS = (
        Field("<Dim>", INT, "dim"),
        Field("<ZeroedProportion>", FLOAT, "zeroed_proportion"),
        Field("<TimeMaskMaxFrames>", INT, "time_mask_max_frames"),
        Field("<TestMode>", PRESENT, "test_mode", when=nonzero("test_mode")),
    )

    is_identity = True

    dim: int = -1
    zeroed_proportion: float = 0.25
    time_mask_max_frames: int = 10

    @property
    def input_dim(self) -> int:
        return self.dim

    output_dim = input_dim

    def check(self) -> None:
        self.expect(self.dim > 0, "dim must be above zero")

    def configure(self, keys: Keys) -> None:
        self.dim = keys.positive("dim")
        self.zeroed_proportion = keys.get("zeroed-proportion", float, 0.25)
        self.time_mask_max_frames = keys.get("time-mask-max-frames", int, 10)
        keys.expect(self.time_mask_max_frames > 1, "time-mask-max-frames must be above one")

    def info(self) -> str:
        return (
            f"{self.TYPE}, dim={self.dim}, zeroed-proportion={number(self.zeroed_proportion)}"
            f", time-mask-max-frames={self.time_mask_max_frames}"
        )

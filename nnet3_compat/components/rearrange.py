"""Components without parameters that move, sum or multiply dimensions (Kaldi: nnet3/nnet-simple-component.cc)."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from kaldi_bridge.io.basic_io import read_int_vector, write_int_vector
from kaldi_bridge.io.matrix_io import read_vector
from kaldi_bridge.io.streams import InputStream
from nnet3_compat.components.base import Component
from nnet3_compat.components.config import MAX_DIM, Keys
from nnet3_compat.components.fields import FLOAT, INT, INTS, Field, Kind
from nnet3_compat.components.summary import number

INPUT_OUTPUT = (Field("<InputDim>", INT, "input_dim"), Field("<OutputDim>", INT, "output_dim"))


class BlocksComponent(Component):
    """The input is ``input_dim / output_dim`` equal parts."""

    FIELDS: ClassVar[tuple[Field, ...]] = INPUT_OUTPUT

    input_dim: int = -1
    output_dim: int = -1

    def check(self) -> None:
        self.expect(self.input_dim > 0 and self.output_dim > 0, "dimensions must be above zero")
        self.expect(self.input_dim % self.output_dim == 0, "output-dim must divide input-dim")

    def configure(self, keys: Keys) -> None:
        self.input_dim, self.output_dim = keys.positive("input-dim"), keys.positive("output-dim")


class PnormComponent(BlocksComponent):
    """The Euclidean norm of each group of neighbouring dimensions."""

    TYPE = "PnormComponent"


class ElementwiseProductComponent(BlocksComponent):
    """The product of the parts, element by element."""

    TYPE = "ElementwiseProductComponent"

    def check(self) -> None:
        super().check()
        self.expect(self.input_dim > self.output_dim, "input-dim must be larger than output-dim")


class SumBlockComponent(BlocksComponent):
    """``scale`` times the sum of the parts."""

    TYPE = "SumBlockComponent"
    FIELDS = (*INPUT_OUTPUT, Field("<Scale>", FLOAT, "scale_factor"))

    scale_factor: float = 1.0
    """Kaldi's ``scale_``; ``scale`` is the method that every component has."""

    def configure(self, keys: Keys) -> None:
        super().configure(keys)
        self.scale_factor = keys.get("scale", float, 1.0)

    def info(self) -> str:
        return f"{super().info()}, scale={number(self.scale_factor)}"


class DistributeComponent(BlocksComponent):
    """Gives each part of the input a time-like index ``x`` of its own."""

    TYPE = "DistributeComponent"

    def select(self, x: int) -> tuple[int, int]:
        return divmod(x, self.input_dim // self.output_dim)


class SumGroupComponent(Component):
    """Sums over groups of neighbouring dimensions, of the given ``sizes``."""

    TYPE = "SumGroupComponent"
    ENDS_WITH_OPENING_TOKEN = True
    FIELDS = (Field("<Sizes>", INTS, "sizes"),)

    sizes: list[int]

    @property
    def input_dim(self) -> int:
        return sum(self.sizes)

    @property
    def output_dim(self) -> int:
        return len(self.sizes)

    def check(self) -> None:
        self.expect(len(self.sizes) > 0 and min(self.sizes) > 0, "sizes must be above zero, and there must be some")
        self.expect(self.input_dim <= MAX_DIM, "the sizes are too large")

    def configure(self, keys: Keys) -> None:
        sizes = keys.ints("sizes", ":,")
        if sizes is None:
            input_dim, output_dim = keys.positive("input-dim"), keys.positive("output-dim")
            keys.expect(input_dim % output_dim == 0, "output-dim must divide input-dim")
            sizes = [input_dim // output_dim] * output_dim
        self.sizes = sizes


def _read_column_map(stream: InputStream, binary: bool) -> list[int]:
    if not (binary and stream.peek(1) == b"F"):
        return list(read_int_vector(stream, binary))
    # Very old files hold the indexes as floats, the last of them wrong.
    values = read_vector(stream, binary, dtype=np.float32)
    indexes = np.nan_to_num(values, nan=-1.0, posinf=-1.0, neginf=-1.0).clip(-1, 2**31 - 1) + 0.5
    return [*indexes.astype(np.int64).tolist()[:-1], values.size - 1]


class PermuteComponent(Component):
    """Output dimension i is input dimension ``column_map[i]``."""

    TYPE = "PermuteComponent"
    FIELDS = (Field("<ColumnMap>", Kind(_read_column_map, write_int_vector), "column_map"),)

    column_map: list[int]

    @property
    def input_dim(self) -> int:
        return len(self.column_map)

    output_dim = input_dim

    def check(self) -> None:
        self.expect(len(self.column_map) > 0, "empty column map")
        self.expect(sorted(self.column_map) == list(range(self.input_dim)), "the column map is no permutation")

    def configure(self, keys: Keys) -> None:
        column_map = keys.ints("column-map")
        if column_map is None:
            raise keys.error("column-map=... is missing")
        self.column_map = column_map

    def info(self) -> str:
        shown = "".join(f"{column} " for column in self.column_map[:5])
        return f"{self.TYPE}, dim={self.input_dim} , column-map=[ {shown}{'... ' if self.input_dim > 5 else ''}]"


class MaxpoolingComponent(Component):
    """Maximum over boxes of a 3-dimensional input, z fastest in memory (Kaldi: nnet3/nnet-combined-component.cc)."""

    TYPE = "MaxpoolingComponent"
    FIELDS = tuple(
        Field(f"<{what}{axis.upper()}{end}>", INT, f"{what.lower()}_{axis}_{end.lower()}")
        for what, end in (("Input", "Dim"), ("Pool", "Size"), ("Pool", "Step"))
        for axis in "xyz"
    )

    input_x_dim: int = 0
    input_y_dim: int = 0
    input_z_dim: int = 0
    pool_x_size: int = 0
    pool_y_size: int = 0
    pool_z_size: int = 0
    pool_x_step: int = 0
    pool_y_step: int = 0
    pool_z_step: int = 0

    def axes(self) -> list[tuple[int, int, int]]:
        """(dimension, pool size, pool step) of x, y, z."""
        return [
            (self.input_x_dim, self.pool_x_size, self.pool_x_step),
            (self.input_y_dim, self.pool_y_size, self.pool_y_step),
            (self.input_z_dim, self.pool_z_size, self.pool_z_step),
        ]

    @property
    def input_dim(self) -> int:
        return self.input_x_dim * self.input_y_dim * self.input_z_dim

    @property
    def output_dim(self) -> int:
        x, y, z = (1 + (dim - size) // step for dim, size, step in self.axes())
        return x * y * z

    def check(self) -> None:
        for axis, (dim, size, step) in zip("xyz", self.axes(), strict=True):
            self.expect(min(dim, size, step) > 0, f"{axis}: dimension, pool size and step must be above zero")
            self.expect(dim >= size >= step, f"{axis}: dimension >= pool size >= pool step is needed")
            self.expect((dim - size) % step == 0, f"{axis}: the pools do not cover the input")
        self.expect(self.input_dim <= MAX_DIM, "the input is too large")

    def configure(self, keys: Keys) -> None:
        for item in self.FIELDS:
            setattr(self, item.names[0], keys.need(item.names[0].replace("_", "-"), int))

    def info(self) -> str:
        values: list[Any] = [f"{f.names[0].replace('_', '-')}={getattr(self, f.names[0])}" for f in self.FIELDS]
        return ", ".join([self.TYPE, *values])

"""Inputs, outputs, and layers of a single component."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from nnet3_compat.xconfig.layer import Layer, Options


class InputLayer(Layer):
    """An input node."""

    TYPES = ("input",)
    OPTIONS: ClassVar[Options] = {"dim": -1}
    INPUTS = ()

    def check(self) -> None:
        self.expect(self.config["dim"] > 0, "dim must be positive")

    def output_dim(self, auxiliary: str | None = None) -> int:
        return int(self.config["dim"])

    def config_lines(self) -> Iterator[tuple[str, str]]:
        for config in ("init", "ref", "final"):
            yield config, f"input-node name={self.name} dim={self.config['dim']}"


class TrivialOutputLayer(Layer):
    """An output node alone."""

    TYPES = ("output",)
    OPTIONS: ClassVar[Options] = {"input": "[-1]", "dim": -1, "objective-type": "linear", "output-delay": 0}

    def check(self) -> None:
        self.expect(
            self.config["objective-type"] in ("linear", "quadratic"), "objective-type must be linear or quadratic"
        )

    def lines(self) -> Iterator[str]:
        delay = self.config["output-delay"]
        source = f"Offset({self.input}, {delay})" if delay else self.input
        yield f"output-node name={self.name} input={source} objective={self.config['objective-type']}"


class RenormComponent(Layer):
    """Scales each row to a root mean square."""

    TYPES = ("renorm-component",)
    OPTIONS: ClassVar[Options] = {"input": "[-1]", "target-rms": 1.0}

    def check(self) -> None:
        self.expect(self.config["target-rms"] > 0.0, "target-rms must be positive")

    def lines(self) -> Iterator[str]:
        rms = self.config["target-rms"]
        yield from self.part("", f"NormalizeComponent dim={self.input_dim} target-rms={rms}", self.input)


class BatchnormComponent(RenormComponent):
    """Normalizes each column."""

    TYPES = ("batchnorm-component",)
    OPTIONS: ClassVar[Options] = {"input": "[-1]", "target-rms": 1.0, "include-in-init": False}

    def lines(self) -> Iterator[str]:
        rms = self.config["target-rms"]
        yield from self.part("", f"BatchNormComponent dim={self.input_dim} target-rms={rms}", self.input)


class NoOpComponent(Layer):
    """Passes on its input."""

    TYPES = ("no-op-component",)

    def lines(self) -> Iterator[str]:
        yield from self.part("", f"NoOpComponent dim={self.input_dim}", self.input)


class DeltaLayer(Layer):
    """First and second differences beside the input, normalized."""

    TYPES = ("delta-layer",)

    def output_dim(self, auxiliary: str | None = None) -> int:
        return 3 * self.input_dim

    def lines(self) -> Iterator[str]:
        source, dim = self.input, self.output_dim()
        for copy in (1, 2):
            yield f"dim-range-node name={source}_copy{copy} input-node={source} dim={self.input_dim} dim-offset=0"
        yield f"component name={source}_2 type=NoOpComponent dim={dim}"
        yield (
            f"component-node name={source}_2 component={source}_2 input=Append(Offset({source},0),"
            f" Sum(Offset(Scale(-1.0,{source}_copy1),-1), Offset({source},1)), Sum(Offset({source},-2),"
            f" Offset({source},2), Offset(Scale(-2.0,{source}_copy2),0)))"
        )
        yield from self.part("", f"BatchNormComponent dim={dim}", f"{source}_2")


class _DimLayer(Layer):
    def check(self) -> None:
        self.expect(self.config["dim"] > 0, "dim must be given and positive")

    def derive(self) -> None:
        """The dimension has no default."""

    def output_dim(self, auxiliary: str | None = None) -> int:
        return int(self.config["dim"])


class LinearComponent(_DimLayer):
    """A linear map."""

    TYPES = ("linear-component",)
    OPTIONS: ClassVar[Options] = {
        "input": "[-1]", "dim": -1, "orthonormal-constraint": "", "max-change": 0.75, "l2-regularize": "",
        "param-stddev": "", "learning-rate-factor": "",
    }  # fmt: skip

    def derive(self) -> None:
        Layer.derive(self)

    def lines(self) -> Iterator[str]:
        options = self.given(
            "orthonormal-constraint", "max-change", "l2-regularize", "param-stddev", "learning-rate-factor"
        )
        dims = f"input-dim={self.input_dim} output-dim={self.config['dim']}"
        yield from self.part("", f"LinearComponent {dims} {options}", self.input)


class AffineComponent(_DimLayer):
    """An affine map."""

    TYPES = ("affine-component",)
    OPTIONS: ClassVar[Options] = {
        "input": "[-1]", "dim": -1, "orthonormal-constraint": "", "max-change": 0.75, "param-stddev": "",
        "bias-stddev": "", "l2-regularize": "",
    }  # fmt: skip

    def derive(self) -> None:
        Layer.derive(self)

    def lines(self) -> Iterator[str]:
        options = self.given("orthonormal-constraint", "max-change", "l2-regularize", "param-stddev", "bias-stddev")
        dims = f"input-dim={self.input_dim} output-dim={self.config['dim']}"
        yield from self.part("", f"NaturalGradientAffineComponent {dims} {options}", self.input)


class ScaleComponent(Layer):
    """A trained factor for each column."""

    TYPES = ("scale-component",)
    COMPONENT: ClassVar[str] = "NaturalGradientPerElementScaleComponent"
    OPTIONS: ClassVar[Options] = {
        "input": "[-1]", "l2-regularize": "", "max-change": 0.75, "param-mean": "", "param-stddev": "",
        "learning-rate-factor": "",
    }  # fmt: skip

    def lines(self) -> Iterator[str]:
        options = self.given("learning-rate-factor", "max-change", "l2-regularize", "param-mean", "param-stddev")
        yield from self.part("", f"{self.COMPONENT} dim={self.input_dim} {options} ", self.input)


class OffsetComponent(ScaleComponent):
    """A trained offset for each column."""

    TYPES = ("offset-component",)
    COMPONENT: ClassVar[str] = "PerElementOffsetComponent"


class DimRangeComponent(_DimLayer):
    """Some columns of its input."""

    TYPES = ("dim-range-component",)
    OPTIONS: ClassVar[Options] = {"input": "[-1]", "dim": -1, "dim-offset": 0}

    def derive(self) -> None:
        Layer.derive(self)

    def check(self) -> None:
        super().check()
        dim, offset = self.config["dim"], self.config["dim-offset"]
        self.expect(offset >= 0 and offset + dim <= self.input_dim, f"dim and dim-offset go beyond {self.input_dim}")

    def lines(self) -> Iterator[str]:
        dim, offset = self.config["dim"], self.config["dim-offset"]
        yield f"dim-range-node name={self.name} input-node={self.input} dim={dim} dim-offset={offset}"


class CombineFeatureMapsLayer(Layer):
    """Interleaves two or three appended feature maps of the same height, as convolutions want them."""

    TYPES = ("combine-feature-maps-layer",)
    OPTIONS: ClassVar[Options] = {
        "input": "[-1]", "num-filters1": -1, "num-filters2": -1, "num-filters3": 0, "height": -1,
    }  # fmt: skip

    def _filters(self) -> list[int]:
        return [self.config[f"num-filters{i}"] for i in (1, 2, 3)]

    def check(self) -> None:
        first, second, third = self._filters()
        height = self.config["height"]
        self.expect(
            first > 0 and second > 0 and third >= 0 and height > 0,
            "num-filters1, num-filters2 and height must be positive, num-filters3 not negative",
        )
        expected = (first + second + third) * height
        self.expect(
            self.input_dim == expected, f"expected an input of dimension {expected}, got one of {self.input_dim}"
        )

    def lines(self) -> Iterator[str]:
        column_map: list[int] = []
        height = self.config["height"]
        for h in range(height):
            start = 0
            for filters in self._filters():
                column_map += range(start + h * filters, start + (h + 1) * filters)
                start += height * filters
        columns = ",".join(map(str, column_map))
        yield from self.part("", f"PermuteComponent column-map={columns} ", self.input)

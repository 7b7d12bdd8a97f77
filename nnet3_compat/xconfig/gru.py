"""GRU layers: of single gates, and fast ones around a single component; with projections, with an output gate.

"pgru" has a projection, "opgru" an output gate in place of the reset gate, and "norm" normalizes what it outputs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from nnet3_compat.xconfig.layer import Options
from nnet3_compat.xconfig.recurrent import RecurrentLayer

_UNPROJECTED: Options = {
    "input": "[-1]", "cell-dim": -1, "clipping-threshold": 30.0, "delay": -1,
    "ng-per-element-scale-options": " max-change=0.75", "ng-affine-options": " max-change=0.75 ",
    "self-repair-scale-nonlinearity": 0.00001, "zeroing-interval": 20, "zeroing-threshold": 15.0,
}  # fmt: skip
_PROJECTED: Options = {
    **_UNPROJECTED,
    "ng-per-element-scale-options": " max-change=0.75 ",
    "recurrent-projection-dim": -1,
    "non-recurrent-projection-dim": -1,
}
_DROPOUT: Options = {"dropout-proportion": -1.0, "dropout-per-frame": True}
_FAST: Options = {"gru-nonlinearity-options": " max-change=0.75"}


class _Gru(RecurrentLayer):
    """The steps that GRUs are made of, and the one without a projection."""

    OUTPUT: ClassVar[str] = "s_t"

    @property
    def _cell(self) -> int:
        return int(self.config["cell-dim"])

    @property
    def _projected_state(self) -> bool:
        return "recurrent-projection-dim" in self.config

    @property
    def _recurrent(self) -> int:
        return int(self.config["recurrent-projection-dim" if self._projected_state else "cell-dim"])

    def output_name(self, auxiliary: str | None = None) -> str:
        return f"{self.name}.{auxiliary or self.OUTPUT}"

    def output_dim(self, auxiliary: str | None = None) -> int:
        return self.projection_dim if self._projected_state and not auxiliary else self._cell

    def _affine(self, name: str, input_dim: int, output_dim: int) -> str:
        l2 = f" {self.l2()}" if "l2-regularize" in self.config else ""
        return self.component(
            name,
            f"NaturalGradientAffineComponent input-dim={input_dim} output-dim={output_dim} "
            f"{self.config['ng-affine-options']}{l2}",
        )

    def _sigmoid(self, name: str, dim: int) -> str:
        return self.component(name, f"SigmoidComponent dim={dim} {self.repair()}")

    def _gate(self, gate: str, weights: str, predrop: str = "{}_predrop_t", dropout: str = "dropout") -> Iterator[str]:
        yield self.node(f"{gate}_t_pre", weights, f"Append({self.input}, {self.delayed('s_t')})")
        if self.has_dropout:
            yield self.node(predrop.format(gate), gate, f"{self.name}.{gate}_t_pre")
            yield self.node(f"{gate}_t", dropout, f"{self.name}.{predrop.format(gate)}")
        else:
            yield self.node(f"{gate}_t", gate, f"{self.name}.{gate}_t_pre")

    def _truncation(self) -> str:
        return self.component("s_r", f"BackpropTruncationComponent dim={self._recurrent} {self.truncation()}")

    def _batchnorm(self) -> str:
        return self.component("batchnorm", f"BatchNormComponent dim={self.projection_dim} target-rms=1.0")

    def _renorm(self) -> str:
        return self.component("renorm", f"NormalizeComponent dim={self._recurrent} target-rms=1.0")


class GruLayer(_Gru):
    """A GRU, its gates in components of their own."""

    TYPES: ClassVar[tuple[str, ...]] = ("gru-layer",)
    OPTIONS: ClassVar[Options] = _UNPROJECTED
    REMEMBERED: ClassVar[str] = "s_t"

    def lines(self) -> Iterator[str]:
        yield from self._components()
        yield from self._gates()
        yield from self._candidate()
        yield from self._update()
        yield from self._output()

    def _components(self) -> Iterator[str]:
        memory = self.input_dim + self._recurrent
        yield self._affine("W_z.xs_z", memory, self._cell)
        yield self._affine("W_z.xs_r", memory, self._recurrent)
        yield self._affine("W_h.UW", memory, self._cell)
        if self.has_dropout:
            yield self.component("dropout_z", self.dropout(self._cell))
            yield self.component("dropout_r", self.dropout(self._recurrent))
        yield self._sigmoid("z", self._cell)
        yield self._sigmoid("r", self._recurrent)
        yield self.component("h", f"TanhComponent dim={self._cell} {self.repair()}")
        yield self.component("h1", self.product(self._recurrent))
        yield from self._update_components()

    def _update_components(self) -> Iterator[str]:
        yield self.component("y1", self.product(self._cell))
        yield self.component("y2", self.product(self._cell))
        yield self.component("y", f"NoOpComponent dim={self._cell}")

    def _gates(self) -> Iterator[str]:
        yield from self._gate("z", "W_z.xs_z", dropout="dropout_z")
        yield from self._gate("r", "W_z.xs_r", dropout="dropout_r")

    def _candidate(self) -> Iterator[str]:
        yield self.node("h1_t", "h1", f"Append({self.name}.r_t, {self.delayed('s_t')})")
        yield self.node("h_t_pre", "W_h.UW", f"Append({self.input}, {self.name}.h1_t)")
        yield self.node("h_t", "h", f"{self.name}.h_t_pre")

    def _update(self) -> Iterator[str]:
        """y = (1 - z) h + z times what is remembered."""
        name = self.name
        complement = f"Sum(Scale(-1.0,{name}.z_t), Const(1.0, {self._cell}))"
        yield self.node("y1_t", "y1", f"Append({name}.h_t, {complement})")
        yield self.node("y2_t", "y2", f"Append({self.delayed(self.REMEMBERED)}, {name}.z_t)")
        yield self.node("y_t", "y", f"Sum({name}.y1_t, {name}.y2_t)")

    def _output(self) -> Iterator[str]:
        yield self._truncation()
        yield self.node("s_t", "s_r", f"{self.name}.y_t")


class PgruLayer(GruLayer):
    """A GRU whose output is projected, in part back to its input."""

    TYPES: ClassVar[tuple[str, ...]] = ("pgru-layer",)
    OPTIONS: ClassVar[Options] = _PROJECTED
    OUTPUT: ClassVar[str] = "sn_t"
    REMEMBERED: ClassVar[str] = "y_t"
    PROJECTED: ClassVar[str] = "y_t"

    def auxiliary_outputs(self) -> tuple[str, ...]:
        return ("h_t",)

    def _output(self) -> Iterator[str]:
        yield self._affine("W_s.ys", self._cell, self.projection_dim)
        yield self._truncation()
        yield self.node("sn_t", "W_s.ys", f"{self.name}.{self.PROJECTED}")
        yield self.columns("s_t_preclip", "sn_t", 0, self._recurrent)
        yield self.node("s_t", "s_r", f"{self.name}.s_t_preclip")


class NormPgruLayer(PgruLayer):
    """The same, its output normalized, with dropout."""

    TYPES: ClassVar[tuple[str, ...]] = ("norm-pgru-layer",)
    OPTIONS: ClassVar[Options] = {**_PROJECTED, **_DROPOUT}

    def _output(self) -> Iterator[str]:
        yield from self._normalizing_components()
        yield self.columns("s_t_preclip", "sn_nobatchnorm_t", 0, self._recurrent)
        yield self.node("sn_t", "batchnorm", f"{self.name}.sn_nobatchnorm_t")
        yield self.node("s_renorm_t", "renorm", f"{self.name}.s_t_preclip")
        yield self.node("s_t", "s_r", f"{self.name}.s_renorm_t")

    def _normalizing_components(self) -> Iterator[str]:
        yield self._affine("W_s.ys", self._cell, self.projection_dim)
        yield self._truncation()
        yield self._batchnorm()
        yield self._renorm()
        yield self.node("sn_nobatchnorm_t", "W_s.ys", f"{self.name}.{self.PROJECTED}")


class OpgruLayer(PgruLayer):
    """A projected GRU with an output gate in the place of the reset gate."""

    TYPES: ClassVar[tuple[str, ...]] = ("opgru-layer",)
    PROJECTED: ClassVar[str] = "y_o_t"

    def _components(self) -> Iterator[str]:
        memory, cell = self.input_dim + self._recurrent, self._cell
        yield self._affine("W_z.xs_z", memory, cell)
        yield self._affine("W_z.xs_o", memory, cell)
        yield self._affine("W_h.UW", self.input_dim, cell)
        scale = f"NaturalGradientPerElementScaleComponent dim={cell} {self.scale_options()}"
        yield self.component("W_h.UW_elementwise", scale)
        yield self._sigmoid("z", cell)
        yield self._sigmoid("o", cell)
        yield self.component("h", f"TanhComponent dim={cell} {self.repair()}")
        yield self.component("o1", self.product(cell))
        yield from self._update_components()
        if self.has_dropout:
            yield self.component("dropout", self.dropout(cell))

    def _gates(self) -> Iterator[str]:
        yield from self._gate("z", "W_z.xs_z")
        yield from self._gate("o", "W_z.xs_o")

    def _candidate(self) -> Iterator[str]:
        yield self.node("h_t_pre", "W_h.UW", self.input)
        yield self.node("h_t_pre2", "W_h.UW_elementwise", self.delayed("y_t"))
        yield self.node("h_t", "h", f"Sum({self.name}.h_t_pre, {self.name}.h_t_pre2)")

    def _update(self) -> Iterator[str]:
        yield from super()._update()
        yield self.node("y_o_t", "o1", f"Append({self.name}.o_t, {self.name}.y_t)")


class NormOpgruLayer(OpgruLayer, NormPgruLayer):
    """The same, its output normalized, with dropout."""

    TYPES: ClassVar[tuple[str, ...]] = ("norm-opgru-layer",)
    OPTIONS: ClassVar[Options] = {**_PROJECTED, **_DROPOUT, "l2-regularize": 0.0}

    def _output(self) -> Iterator[str]:
        yield from self._normalizing_components()
        yield self.node("sn_t", "batchnorm", f"{self.name}.sn_nobatchnorm_t")
        yield self.columns("s_t_preclip", "sn_nobatchnorm_t", 0, self._recurrent)
        yield self.node("s_t_preclip_renorm", "renorm", f"{self.name}.s_t_preclip")
        yield self.node("s_t", "s_r", f"{self.name}.s_t_preclip_renorm")


class FastGruLayer(_Gru):
    """Around a GruNonlinearityComponent, whose second output is the cell."""

    TYPES: ClassVar[tuple[str, ...]] = ("fast-gru-layer",)
    OPTIONS: ClassVar[Options] = {**_UNPROJECTED, **_FAST}
    OUTPUT: ClassVar[str] = "y_t"

    def lines(self) -> Iterator[str]:
        name, cell = self.name, self._cell
        memory = self.input_dim + cell
        yield self._affine("W_z.xh", memory, cell)
        yield self._affine("W_r.xh", memory, cell)
        yield self._affine("W_hpart.x", self.input_dim, cell)
        yield self._sigmoid("z", cell)
        yield self._sigmoid("r", cell)
        yield from self._gate("z", "W_z.xh")
        yield from self._gate("r", "W_r.xh")
        yield self.node("hpart_t", "W_hpart.x", self.input)
        yield self.component(
            "gru_nonlin", f"GruNonlinearityComponent cell-dim={cell} {self.config['gru-nonlinearity-options']}"
        )
        inputs = f"{name}.z_t, {name}.r_t, {name}.hpart_t, {self.delayed('s_t')}"
        yield self.node("gru_nonlin_t", "gru_nonlin", f"Append({inputs})")
        yield self.columns("y_t", "gru_nonlin_t", cell, cell)
        yield self._truncation()
        yield self.node("s_t", "s_r", f"{name}.y_t")


class FastPgruLayer(_Gru):
    """A projected GRU, its gates in one component."""

    TYPES: ClassVar[tuple[str, ...]] = ("fast-pgru-layer",)
    OPTIONS: ClassVar[Options] = {**_PROJECTED, **_FAST}
    OUTPUT: ClassVar[str] = "y_t"
    GATE: ClassVar[str] = "r"
    DROPOUTS: ClassVar[tuple[str, str]] = ("dropout_z", "dropout_r")
    RANGE: ClassVar[str] = "s_t_pre"

    def auxiliary_outputs(self) -> tuple[str, ...]:
        return ("c_t",)

    def lines(self) -> Iterator[str]:
        memory = self.input_dim + self._recurrent
        yield self._affine("W_z.xs", memory, self._cell)
        yield self._affine(f"W_{self.GATE}.xs", memory, self._gate_dim())
        yield self._affine("W_hpart.x", self.input_dim, self._cell)
        yield self._sigmoid("z", self._cell)
        yield self._sigmoid(self.GATE, self._gate_dim())
        if self.has_dropout:
            dims = dict(zip(self.DROPOUTS, (self._cell, self._gate_dim()), strict=True))
            for name, dim in dims.items():
                yield self.component(name, self.dropout(dim))
        for gate, dropout in zip(("z", self.GATE), self.DROPOUTS, strict=True):
            yield from self._gate(gate, f"W_{gate}.xs", predrop="{}_t_predrop", dropout=dropout)
        yield self.node("hpart_t", "W_hpart.x", self.input)
        yield from self._nonlinearity()
        yield self.columns("c_t", "gru_nonlin_t", self._cell, self._cell)
        yield from self._projection()
        yield from self._output()

    def _gate_dim(self) -> int:
        return self._recurrent

    def _nonlinearity(self) -> Iterator[str]:
        name, options = self.name, self.config["gru-nonlinearity-options"]
        kind = f"GruNonlinearityComponent cell-dim={self._cell} recurrent-dim={self._recurrent} {options}"
        yield self.component("gru_nonlin", kind)
        inputs = f"{name}.z_t, {name}.r_t, {name}.hpart_t, {self.delayed('c_t')}, {self.delayed('s_t')}"
        yield self.node("gru_nonlin_t", "gru_nonlin", f"Append({inputs})")

    def _projection(self) -> Iterator[str]:
        yield self._affine("W_y.c", self._cell, self.projection_dim)
        yield self.node(self._projected(), "W_y.c", f"{self.name}.c_t")

    def _projected(self) -> str:
        return "y_t_tmp" if "norm" in self.type else "y_t"

    def _output(self) -> Iterator[str]:
        yield self._truncation()
        yield self.columns(self.RANGE, "y_t", 0, self._recurrent)
        yield self.node("s_t", "s_r", f"{self.name}.{self.RANGE}")


class FastNormPgruLayer(FastPgruLayer):
    """The same, its output normalized, with dropout."""

    TYPES: ClassVar[tuple[str, ...]] = ("fast-norm-pgru-layer",)
    OPTIONS: ClassVar[Options] = {**_PROJECTED, **_FAST, **_DROPOUT}

    def _output(self) -> Iterator[str]:
        yield self._renorm()
        yield self._truncation()
        yield self.columns("s_t_pre", "y_t_tmp", 0, self._recurrent)
        yield self.node("s_t_renorm", "renorm", f"{self.name}.s_t_pre")
        yield self.node("s_t", "s_r", f"{self.name}.s_t_renorm")
        yield self._batchnorm()
        yield self.node("y_t", "batchnorm", f"{self.name}.y_t_tmp")


class FastOpgruLayer(FastPgruLayer):
    """Around an OutputGruNonlinearityComponent."""

    TYPES: ClassVar[tuple[str, ...]] = ("fast-opgru-layer",)
    GATE: ClassVar[str] = "o"
    DROPOUTS: ClassVar[tuple[str, str]] = ("dropout", "dropout")
    RANGE: ClassVar[str] = "s_t_preclip"

    def _gate_dim(self) -> int:
        return self._cell

    def _nonlinearity(self) -> Iterator[str]:
        name, options = self.name, self.config["gru-nonlinearity-options"]
        yield self.component("gru_nonlin", f"OutputGruNonlinearityComponent cell-dim={self._cell} {options}")
        inputs = f"{name}.z_t, {name}.hpart_t, {self.delayed('c_t')}"
        yield self.node("gru_nonlin_t", "gru_nonlin", f"Append({inputs})")

    def _projection(self) -> Iterator[str]:
        yield self.component("cdoto", self.product(self._cell))
        yield self.node("cdoto", "cdoto", f"Append({self.name}.c_t, {self.name}.o_t)")
        yield self._affine("W_y.cdoto", self._cell, self.projection_dim)
        yield self.node(self._projected(), "W_y.cdoto", f"{self.name}.cdoto")


class FastNormOpgruLayer(FastOpgruLayer, FastNormPgruLayer):
    """The same, its output normalized, with dropout."""

    TYPES: ClassVar[tuple[str, ...]] = ("fast-norm-opgru-layer",)
    OPTIONS: ClassVar[Options] = {**_PROJECTED, **_FAST, **_DROPOUT}

"""LSTM layers: of single gates, and fast ones around a single component; with and without projections."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from nnet3_compat.xconfig.layer import Options
from nnet3_compat.xconfig.recurrent import RecurrentLayer


class LstmLayer(RecurrentLayer):
    """An LSTM, its gates in components of their own."""

    TYPES: ClassVar[tuple[str, ...]] = ("lstm-layer",)
    OPTIONS: ClassVar[Options] = {
        "input": "[-1]", "cell-dim": -1, "clipping-threshold": 30.0, "delay": -1,
        "ng-per-element-scale-options": " max-change=0.75", "ng-affine-options": " max-change=0.75 ",
        "self-repair-scale-nonlinearity": 0.00001, "zeroing-interval": 20, "zeroing-threshold": 15.0,
        "l2-regularize": 0.0, "decay-time": -1.0,
    }  # fmt: skip
    # Where Kaldi's lines have two spaces, or end with one.
    SCALE_LINES: ClassVar[dict[str, str]] = {
        "i": "{0} dim={1} {2} {3} ",
        "f": "{0} dim={1} {2} {3}",
        "o": "{0}  dim={1} {2} {3}",
    }

    def auxiliary_outputs(self) -> tuple[str, ...]:
        return ("c_t",)

    def output_name(self, auxiliary: str | None = None) -> str:
        return f"{self.name}.{auxiliary or 'm_t'}"

    def output_dim(self, auxiliary: str | None = None) -> int:
        return int(self.config["cell-dim"])

    def _recurrent_dim(self) -> int:
        return int(self.config["cell-dim"])

    def _gate_components(self) -> Iterator[str]:
        cell = self.config["cell-dim"]
        affine = (
            f"NaturalGradientAffineComponent input-dim={self.input_dim + self._recurrent_dim()} "
            f"output-dim={cell} {self.config['ng-affine-options']} {self.l2()}"
        )
        for gate in "ifo":
            yield self.component(f"W_{gate}.xr", affine)
            scale = self.SCALE_LINES[gate].format(
                "NaturalGradientPerElementScaleComponent", cell, self.scale_options(), self.l2()
            )
            yield self.component(f"w_{gate}.c", scale)
        yield self.component("W_c.xr", affine)
        for name, kind in zip("ifogh", ("Sigmoid",) * 3 + ("Tanh",) * 2, strict=True):
            yield self.component(name, f"{kind}Component dim={cell} {self.repair()}")
        if self.has_dropout:
            yield self.component("dropout", self.dropout(cell))
        for name in ("c1", "c2", "m"):
            yield self.component(name, self.product(cell))
        yield self.component("c", f"BackpropTruncationComponent dim={cell} {self.truncation()}")

    def _gate_nodes(self) -> Iterator[str]:
        name, cell, memory = self.name, self.delayed("c_t"), f"Append({self.input}, {self.delayed('r_t')})"
        yield self.node("c_t", "c", f"Sum({name}.c1_t, {name}.c2_t)")
        for gate in "ifo":
            yield self.node(f"{gate}1_t", f"W_{gate}.xr", memory)
            if gate == "o":
                yield self.node("o2_t", "w_o.c", f"{name}.c_t")
            else:
                yield self.node(f"{gate}2_t", f"w_{gate}.c", cell, gap="  ")
            total = f"Sum({name}.{gate}1_t, {name}.{gate}2_t)"
            if self.has_dropout:
                yield self.node(f"{gate}_t_predrop", gate, total)
                yield self.node(f"{gate}_t", "dropout", f"{name}.{gate}_t_predrop")
            else:
                yield self.node(f"{gate}_t", gate, total)
        yield self.node("h_t", "h", f"{name}.c_t")
        yield self.node("g1_t", "W_c.xr", memory)
        yield self.node("g_t", "g", f"{name}.g1_t")
        yield self.node("c1_t", "c1", f"Append({name}.f_t, {cell})", gap="  ")
        yield self.node("c2_t", "c2", f"Append({name}.i_t, {name}.g_t)")
        yield self.node("m_t", "m", f"Append({name}.o_t, {name}.h_t)")

    def lines(self) -> Iterator[str]:
        yield from self._gate_components()
        yield from self._gate_nodes()
        yield self.component("r", f"BackpropTruncationComponent dim={self.config['cell-dim']} {self.truncation()}")
        yield self.node("r_t", "r", f"{self.name}.m_t")


class LstmpLayer(LstmLayer):
    """An LSTM whose output is projected, in part back to its input."""

    TYPES: ClassVar[tuple[str, ...]] = ("lstmp-layer", "lstmp-batchnorm-layer")
    OPTIONS: ClassVar[Options] = {
        "input": "[-1]", "cell-dim": -1, "recurrent-projection-dim": -1, "non-recurrent-projection-dim": -1,
        "clipping-threshold": 30.0, "delay": -1, "ng-per-element-scale-options": " max-change=0.75 ",
        "ng-affine-options": " max-change=0.75 ", "self-repair-scale-nonlinearity": 0.00001, "zeroing-interval": 20,
        "zeroing-threshold": 15.0, "dropout-proportion": -1.0, "dropout-per-frame": False, "decay-time": -1.0,
        "l2-regularize": 0.0,
    }  # fmt: skip
    SCALE_LINES: ClassVar[dict[str, str]] = {
        "i": "{0} dim={1} {2} {3}",
        "f": "{0}  dim={1} {2} {3}",
        "o": "{0} dim={1} {2} {3}",
    }

    def output_name(self, auxiliary: str | None = None) -> str:
        return f"{self.name}.{auxiliary or ('rp_t_batchnorm' if 'batchnorm' in self.type else 'rp_t')}"

    def output_dim(self, auxiliary: str | None = None) -> int:
        return int(self.config["cell-dim"]) if auxiliary else self.projection_dim

    def _recurrent_dim(self) -> int:
        return int(self.config["recurrent-projection-dim"])

    def lines(self) -> Iterator[str]:
        name, recurrent = self.name, self._recurrent_dim()
        yield from self._gate_components()
        yield from self._gate_nodes()
        yield self.component(
            "W_rp.m",
            f"NaturalGradientAffineComponent input-dim={self.config['cell-dim']} output-dim={self.projection_dim} "
            f"{self.config['ng-affine-options']} {self.l2()}",
        )
        yield self.component("r", f"BackpropTruncationComponent dim={recurrent} {self.truncation()}")
        yield self.node("rp_t", "W_rp.m", f"{name}.m_t")
        yield self.columns("r_t_preclip", "rp_t", 0, recurrent)
        yield self.node("r_t", "r", f"{name}.r_t_preclip")
        if "batchnorm" in self.type:
            yield self.component("rp_t_batchnorm", f"BatchNormComponent dim={self.projection_dim} ")
            yield self.node("rp_t_batchnorm", "rp_t_batchnorm", f"{name}.rp_t")


class FastLstmLayer(RecurrentLayer):
    """An LSTM, its gates in one component."""

    TYPES: ClassVar[tuple[str, ...]] = ("fast-lstm-layer", "fast-lstm-batchnorm-layer")
    OPTIONS: ClassVar[Options] = {
        "input": "[-1]", "cell-dim": -1, "clipping-threshold": 30.0, "zeroing-interval": 20, "zeroing-threshold": 15.0,
        "delay": -1, "lstm-nonlinearity-options": " max-change=0.75", "ng-affine-options": " max-change=1.5",
        "l2-regularize": 0.0, "decay-time": -1.0,
    }  # fmt: skip

    def auxiliary_outputs(self) -> tuple[str, ...]:
        return ("c",)

    def output_name(self, auxiliary: str | None = None) -> str:
        return f"{self.name}.{auxiliary or ('m_batchnorm' if 'batchnorm' in self.type else 'm')}"

    def output_dim(self, auxiliary: str | None = None) -> int:
        return int(self.config["cell-dim"])

    def _nonlinearity(self) -> str:
        cell, options = self.config["cell-dim"], self.config["lstm-nonlinearity-options"]
        return f"LstmNonlinearityComponent cell-dim={cell} {options} {self.l2()}"

    def _truncated_nodes(self) -> Iterator[str]:
        cell = self.config["cell-dim"]
        yield self.columns("m", "lstm_nonlin", cell, cell)
        yield self.node("cm_trunc", "cm_trunc", f"{self.name}.lstm_nonlin")
        yield self.columns("c_trunc", "cm_trunc", 0, cell)
        yield self.columns("m_trunc", "cm_trunc", cell, cell)

    def lines(self) -> Iterator[str]:
        config, name, cell = self.config, self.name, self.config["cell-dim"]
        yield self.component(
            "W_all",
            f"NaturalGradientAffineComponent input-dim={self.input_dim + cell} output-dim={cell * 4} "
            f"{config['ng-affine-options']} {self.l2()}",
        )
        yield self.component("lstm_nonlin", self._nonlinearity())
        yield self.component("cm_trunc", f"BackpropTruncationComponent dim={2 * cell} {self.truncation()}")
        yield self.node("W_all", "W_all", f"Append({self.input}, {self.delayed('m_trunc')})")
        yield self.node("lstm_nonlin", "lstm_nonlin", f"Append({name}.W_all, {self.delayed('c_trunc')})")
        yield from self._truncated_nodes()
        if "batchnorm" in self.type:
            yield self.component("m_batchnorm", f"BatchNormComponent dim={cell} ")
            yield self.node("m_batchnorm", "m_batchnorm", f"{name}.m")


class LstmbLayer(FastLstmLayer):
    """With a bottleneck in front of the gates."""

    TYPES: ClassVar[tuple[str, ...]] = ("lstmb-layer",)
    OPTIONS: ClassVar[Options] = {
        "input": "[-1]", "cell-dim": -1, "bottleneck-dim": -1, "clipping-threshold": 30.0, "zeroing-interval": 20,
        "zeroing-threshold": 15.0, "orthonormal-constraint": 1.0, "delay": -1,
        "lstm-nonlinearity-options": " max-change=0.75", "self-scale": 1.0, "ng-affine-options": " max-change=1.5",
        "l2-regularize": 0.0, "decay-time": -1.0,
    }  # fmt: skip

    def auxiliary_outputs(self) -> tuple[str, ...]:
        return ()

    def output_name(self, auxiliary: str | None = None) -> str:
        return f"{self.name}.m_batchnorm"

    def lines(self) -> Iterator[str]:
        config, name, cell = self.config, self.name, self.config["cell-dim"]
        bottleneck, options = config["bottleneck-dim"], config["ng-affine-options"]
        yield self.component(
            "W_all_a",
            f"LinearComponent input-dim={self.input_dim + cell} "
            f"orthonormal-constraint={config['orthonormal-constraint']} output-dim={bottleneck} {options}",
        )
        yield self.component(
            "W_all_b", f"LinearComponent input-dim={bottleneck} output-dim={cell * 4} {options} {self.l2()}"
        )
        yield self.component("W_all_b_so", f"ScaleAndOffsetComponent dim={cell * 4} max-change=0.75")
        yield self.component("lstm_nonlin", self._nonlinearity())
        yield self.component("cm_trunc", f"BackpropTruncationComponent dim={2 * cell} {self.truncation()}")
        yield self.component("m_batchnorm", f"BatchNormComponent dim={cell} ")
        memory = f"IfDefined(Offset(Scale({config['self-scale']}, {name}.m_trunc), {config['delay']}))"
        yield self.node("W_all_a", "W_all_a", f"Append({self.input}, {memory})")
        yield self.node("W_all_b", "W_all_b", f"{name}.W_all_a")
        yield self.node("W_all_b_so", "W_all_b_so", f"{name}.W_all_b")
        yield self.node("lstm_nonlin", "lstm_nonlin", f"Append({name}.W_all_b_so, {self.delayed('c_trunc')})")
        yield from self._truncated_nodes()
        yield self.node("m_batchnorm", "m_batchnorm", f"{name}.m")


class FastLstmpLayer(RecurrentLayer):
    """An LSTM whose output is projected, its gates in one component."""

    TYPES: ClassVar[tuple[str, ...]] = ("fast-lstmp-layer", "fast-lstmp-batchnorm-layer")
    OPTIONS: ClassVar[Options] = {
        "input": "[-1]", "cell-dim": -1, "recurrent-projection-dim": -1, "non-recurrent-projection-dim": -1,
        "clipping-threshold": 30.0, "delay": -1, "lstm-nonlinearity-options": " max-change=0.75",
        "ng-affine-options": " max-change=1.5", "l2-regularize": 0.0, "decay-time": -1.0, "zeroing-interval": 20,
        "zeroing-threshold": 15.0, "dropout-proportion": -1.0,
    }  # fmt: skip

    def auxiliary_outputs(self) -> tuple[str, ...]:
        return ("c_t",)

    def output_name(self, auxiliary: str | None = None) -> str:
        return f"{self.name}.{auxiliary or ('rp_batchnorm' if 'batchnorm' in self.type else 'rp')}"

    def output_dim(self, auxiliary: str | None = None) -> int:
        return int(self.config["cell-dim"]) if auxiliary else self.projection_dim

    def lines(self) -> Iterator[str]:
        config, name, cell = self.config, self.name, self.config["cell-dim"]
        recurrent, options = config["recurrent-projection-dim"], config["ng-affine-options"]
        yield self.component(
            "W_all",
            f"NaturalGradientAffineComponent input-dim={self.input_dim + recurrent} output-dim={cell * 4} "
            f"{options} {self.l2()}",
        )
        use_dropout = "true" if self.has_dropout else "false"
        yield self.component(
            "lstm_nonlin",
            f"LstmNonlinearityComponent cell-dim={cell} use-dropout={use_dropout} "
            f"{config['lstm-nonlinearity-options']} {self.l2()}",
        )
        yield self.component("cr_trunc", f"BackpropTruncationComponent dim={cell + recurrent} {self.truncation()}")
        if self.has_dropout:
            proportion = config["dropout-proportion"]
            yield self.component("dropout_mask", f"DropoutMaskComponent output-dim=3 dropout-proportion={proportion} ")
        yield self.component(
            "W_rp",
            f"NaturalGradientAffineComponent input-dim={cell} output-dim={self.projection_dim} {options} {self.l2()}",
        )
        yield self.node("W_all", "W_all", f"Append({self.input}, {self.delayed('r_trunc')})")
        parts = [f"{name}.W_all", self.delayed("c_trunc")]
        if self.has_dropout:
            yield self.node("dropout_mask", "dropout_mask", f"{name}.dropout_mask")
            parts.append(f"{name}.dropout_mask")
        yield self.node("lstm_nonlin", "lstm_nonlin", f"Append({', '.join(parts)})")
        yield self.columns("c", "lstm_nonlin", 0, cell)
        yield self.columns("m", "lstm_nonlin", cell, cell)
        yield self.node("rp", "W_rp", f"{name}.m")
        yield self.columns("r", "rp", 0, recurrent)
        yield self.node("cr_trunc", "cr_trunc", f"Append({name}.c, {name}.r)")
        yield self.columns("c_trunc", "cr_trunc", 0, cell)
        yield self.columns("r_trunc", "cr_trunc", cell, recurrent)
        if "batchnorm" in self.type:
            yield self.component("rp_batchnorm", f"BatchNormComponent dim={self.projection_dim} ")
            yield self.node("rp_batchnorm", "rp_batchnorm", f"{name}.rp")

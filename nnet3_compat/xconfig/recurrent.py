"""What recurrent layers share: their checks, and the truncation of what flows back through time."""

from __future__ import annotations

from nnet3_compat.xconfig.layer import Layer


class RecurrentLayer(Layer):
    """Options that all have: cell-dim, delay, clipping-threshold, zeroing-interval, zeroing-threshold."""

    def derive(self) -> None:
        if "recurrent-projection-dim" in self.config:
            if self.config["recurrent-projection-dim"] <= 0:
                self.config["recurrent-projection-dim"] = self.config["cell-dim"] // 4
            if self.config.get("non-recurrent-projection-dim", 1) <= 0:
                self.config["non-recurrent-projection-dim"] = self.config["recurrent-projection-dim"]
        elif self.config["cell-dim"] <= 0:
            self.config["cell-dim"] = self.input_dim

    def check(self) -> None:
        config = self.config
        self.expect(config["cell-dim"] > 0, "cell-dim must be given and positive")
        self.expect(config["delay"] != 0, "delay cannot be zero")
        for key in ("recurrent-projection-dim", "non-recurrent-projection-dim", "bottleneck-dim"):
            self.expect(config.get(key, 1) > 0, f"{key} must be positive")
        if "non-recurrent-projection-dim" in config:
            self.expect(
                self.projection_dim <= config["cell-dim"],
                "recurrent- and non-recurrent-projection-dim together exceed cell-dim",
            )
        repair = config.get("self-repair-scale-nonlinearity", 0.0)
        self.expect(0.0 <= repair <= 1.0, "self-repair-scale-nonlinearity must be between 0 and 1")
        dropout = config.get("dropout-proportion", -1.0)
        self.expect(dropout == -1.0 or 0.0 <= dropout <= 1.0, "dropout-proportion must be between 0 and 1")
        self.expect(self._recurrence_scale() > 0, "decay-time must be greater than the delay")

    @property
    def projection_dim(self) -> int:
        return int(self.config["recurrent-projection-dim"] + self.config["non-recurrent-projection-dim"])

    @property
    def has_dropout(self) -> bool:
        return bool(self.config.get("dropout-proportion", -1.0) != -1.0)

    def _recurrence_scale(self) -> float:
        decay = self.config.get("decay-time", -1.0)
        return 1.0 if decay < 0 else 1.0 - abs(self.config["delay"]) / decay

    def truncation(self) -> str:
        """Options of a BackpropTruncationComponent."""
        config = self.config
        scale = f" scale={self._recurrence_scale()}" if "decay-time" in config else ""
        return (
            f"clipping-threshold={config['clipping-threshold']} zeroing-threshold={config['zeroing-threshold']} "
            f"zeroing-interval={config['zeroing-interval']} recurrence-interval={abs(config['delay'])}{scale}"
        )

    def repair(self) -> str:
        """Option of the gates' nonlinearities."""
        return f"self-repair-scale={self.config['self-repair-scale-nonlinearity']:.10f}"

    def dropout(self, dim: int) -> str:
        """The type and options of a gate's dropout."""
        per_frame = "true" if self.config["dropout-per-frame"] else "false"
        proportion = self.config["dropout-proportion"]
        return f"DropoutComponent dim={dim} dropout-proportion={proportion} dropout-per-frame={per_frame}"

    def product(self, dim: int) -> str:
        """The type and options of an elementwise product of two vectors."""
        return f"ElementwiseProductComponent input-dim={2 * dim} output-dim={dim}"

    def l2(self) -> str:
        value = self.config["l2-regularize"]
        return f"l2-regularize={value} " if value != 0.0 else ""

    def delayed(self, node: str) -> str:
        """The node's earlier (or, with a positive delay, later) value, zero where there is none."""
        return f"IfDefined(Offset({self.name}.{node}, {self.config['delay']}))"

    def scale_options(self) -> str:
        """Options of per-element scales, whose parameters start with mean 0 and standard deviation 1 unless given."""
        options = str(self.config["ng-per-element-scale-options"])
        given = "param-mean" in options or "param-stddev" in options
        return options if given else options + " param-mean=0.0 param-stddev=1.0 "

    def node(self, name: str, component: str, source: str, gap: str = " ") -> str:
        return f"component-node name={self.name}.{name} component={self.name}.{component}{gap}input={source}"

    def component(self, name: str, rest: str) -> str:
        return f"component name={self.name}.{name} type={rest}"

    def columns(self, name: str, source: str, offset: int, dim: int) -> str:
        return f"dim-range-node name={self.name}.{name} input-node={self.name}.{source} dim-offset={offset} dim={dim}"

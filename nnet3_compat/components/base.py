"""What a component is: the base class, and all that the author of a new one must write.

Kaldi: nnet3/nnet-component-itf.h. A component has two classes: one here, numpy only, that knows what files and config
lines say of it, and one in nnet3_compat/modules that computes it. No other part of the program knows components by
name: they ask for the attributes below. A new one is

1. **here**, in a file of this folder, which ``components/__init__.py`` imports, a subclass of ``Component``, or of
   ``UpdatableComponent`` if it has parameters, with

       TYPE                        its name in files and config lines
       FIELDS                      the tokens and values of a file, in order (fields.py)
       attributes                  annotated, with defaults, named as Kaldi's members without the trailing underscore;
                                   matrices are float32 arrays [rows, columns]
       STATS                       which of them are sums over data: float64
       input_dim, output_dim       attributes or properties
       configure(keys)             from a config line (config.py)
       check()                     raises KaldiError unless values fit together: files may be damaged
       info()                      its line in nnet3-info, where there is more to say than dimensions
       _restore(values)            where a file holds something else than the attributes, such as averages
       PARAMS, natural_gradient()  if it has parameters: their names, in the order in which Kaldi vectorizes them, and
                                   how their natural gradient is estimated

   and, where it is not a function of single frames, ``taps()``, or ``select()``. What it is beyond that, others read
   from the class attributes ``is_random``, ``is_identity``, ``is_affine``, ``is_rectifier``, ``is_scale_and_offset``,
   ``uses_times`` and ``fills_gaps``.

2. **in nnet3_compat/modules**, in a file that ``modules/__init__.py`` imports, a subclass of
   ``ComponentModule[TheType]`` with the decorator ``@module_for(TheType)`` and a scriptable ``forward``;
   modules/base.py says the rest: PARAMS and STATS, what parameters do (ROLES), and what the attributes above promise
   of a module.

3. **for training**, in training/activations.py, only if it keeps sums of activations or repairs itself; where its
   parameters are no matrix, scale or offset, its gradient is preconditioned as one matrix
   (training/component_updates.py).

4. **in the tests**: a line in tests/helpers/component_lines.py, and an instance with its formula in
   test_modules.py (``CASES`` or ``TAPPED``): reading, writing, copying, scripting, gradients and damaged files are
   then tested.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io import basic_io
from nnet3_compat.components.fields import BOOL, FLOAT, Field, read_fields, write_fields
from nnet3_compat.components.summary import number

if TYPE_CHECKING:
    from kaldi_bridge.io.streams import InputStream, OutputStream
    from nnet3_compat.components.config import Keys
    from nnet3_compat.components.config_line import ConfigLine
    from nnet3_compat.components.natural_gradient import NaturalGradient
    from nnet3_compat.components.taps import Taps

C = TypeVar("C", bound="Component")

COMPONENTS: dict[str, type[Component]] = {}
"""Every component type by the name that files and config lines call it."""


class Component:
    """A part of a network that maps rows of one matrix to rows of another."""

    TYPE: ClassVar[str] = ""
    FIELDS: ClassVar[tuple[Field, ...]] = ()
    ENDS_WITH_OPENING_TOKEN: ClassVar[bool] = False  # some writers of old closed with <Type>
    STATS: ClassVar[tuple[str, ...]] = ()
    """Attributes that accumulate over data: scaled, added and zeroed together."""

    is_updatable: bool = False
    is_random: ClassVar[bool] = False
    """Its output is random in training."""
    is_affine: ClassVar[bool] = False
    """y = W [x_1, x_2, ...] + b, of its input at each of its taps."""
    is_rectifier: ClassVar[bool] = False
    """y = max(x, 0)."""
    is_scale_and_offset: ClassVar[bool] = False
    """In test mode y_i = s_i x_i + o_i."""
    uses_times: ClassVar[bool] = False
    """In training its derivatives depend on the time of each frame (modules/base.py, TimedModule)."""
    fills_gaps: ClassVar[bool] = False
    """In training Kaldi computes it at equal distances in time, needed or not (nnet3/convolution.cc)."""

    @property
    def is_identity(self) -> bool:
        """In test mode y = x."""
        return False

    def __init_subclass__(cls) -> None:
        if "TYPE" in vars(cls):
            COMPONENTS[cls.TYPE] = cls

    def __init__(self, **attributes: Any) -> None:
        for name, value in attributes.items():
            if not any(hasattr(c, name) or name in getattr(c, "__annotations__", {}) for c in type(self).__mro__):
                raise TypeError(f"{self.TYPE} has no attribute {name!r}")
            setattr(self, name, value)

    # Shape.

    @property
    def input_dim(self) -> int:
        """Columns of its input."""
        raise NotImplementedError

    @property
    def output_dim(self) -> int:
        """Columns of its output."""
        raise NotImplementedError

    # Time.

    def taps(self) -> Taps | None:
        """The input times that an output needs; None: its own and no other (Kaldi: kSimpleComponent)."""
        return None

    def select(self, x: int) -> tuple[int, int] | None:
        """Where an output at extra index ``x`` is just columns of the input: at which extra index, and which block."""
        return None

    @property
    def is_pointwise(self) -> bool:
        """The output at (n, t, x) is made of the input at (n, t, x), all of it."""
        return self.taps() is None and self.select(0) is None

    def input_times(self, t: int) -> list[int]:
        """Input times that the output at time ``t`` may use, in order."""
        taps = self.taps()
        return [t] if taps is None else taps.times(t)

    # Files.

    @classmethod
    def fields(cls) -> tuple[Field, ...]:
        """What its file holds, in order."""
        return cls.FIELDS

    @classmethod
    def read(cls: type[C], stream: InputStream, binary: bool) -> C:
        """Read what follows the opening ``<Type>`` token, up to and including ``</Type>``."""
        endings: tuple[str, ...] = (f"</{cls.TYPE}>",)
        if cls.ENDS_WITH_OPENING_TOKEN:
            endings += (f"<{cls.TYPE}>",)
        component = cls()
        values = read_fields(cls.fields(), cls.TYPE, endings, stream, binary)
        try:
            with np.errstate(all="ignore"):  # a diverged network may hold inf and nan
                component._restore(values)
            component.check()
        except KaldiError as error:
            raise KaldiError(f"{stream.name}: {error}") from error
        return component

    def write(self, stream: OutputStream, binary: bool) -> None:
        """Write ``<Type>`` ... ``</Type>``."""
        basic_io.write_token(stream, binary, f"<{self.TYPE}>")
        write_fields(self.fields(), self, stream, binary)
        basic_io.write_token(stream, binary, f"</{self.TYPE}>")

    def _restore(self, values: dict[str, Any]) -> None:
        """Take over what a file holds; classes whose files hold averages of their sums convert here."""
        for name, value in values.items():
            setattr(self, name, value)

    def check(self) -> None:
        """Raise KaldiError unless dimensions and values fit together."""

    def expect(self, condition: bool, what: str) -> None:
        """Raises KaldiError, naming the type, unless the condition holds."""
        if not condition:
            raise KaldiError(f"{self.TYPE}: {what}")

    # Configs.

    @classmethod
    def init_from_config(cls: type[C], line: ConfigLine) -> C:
        """A new component as a config line describes it; raises KaldiError naming missing, bad or unknown keys."""
        from nnet3_compat.components.config import Keys

        component = cls()
        keys = Keys(line, cls.TYPE)
        component.configure(keys)
        keys.finish()
        component.check()
        return component

    def configure(self, keys: Keys) -> None:
        """Takes its attributes from the keys of a config line. Raises KaldiError for missing or bad ones."""
        raise NotImplementedError

    # Use.

    def info(self) -> str:
        """One line as in nnet3-info."""
        return f"{self.TYPE}, input-dim={self.input_dim}, output-dim={self.output_dim}"

    def copy(self: C) -> C:
        """With arrays of its own."""
        other = type(self)()
        for name, value in vars(self).items():
            setattr(other, name, _copied(value))
        return other

    def zero_stats(self) -> None:
        """Forgets what was accumulated over data."""
        for name in self.STATS:
            self._scale(name, 0.0)

    def scale(self, factor: float) -> None:
        """Scale the stored statistics, and in updatable components the parameters."""
        for name in self.STATS:
            self._scale(name, factor)

    def add(self, alpha: float, other: Component) -> None:
        """Add ``alpha`` times the other's statistics, and in updatable components its parameters."""
        self._expect_same_type(other)
        for name in self.STATS:
            self._add(name, alpha, other)

    def _expect_same_type(self, other: Component) -> None:
        if type(other) is not type(self):
            raise KaldiError(f"cannot combine a {self.TYPE} with a {other.TYPE}: the networks differ")

    def _scale(self, name: str, factor: float) -> None:
        value = getattr(self, name)
        if isinstance(value, np.ndarray):
            # Zero, not 0 * value: diverged values (inf, nan) must go too.
            scaled = np.zeros_like(value) if factor == 0.0 else value * value.dtype.type(factor)
            setattr(self, name, scaled)
        else:
            setattr(self, name, type(value)(value * factor if factor else 0))

    def _add(self, name: str, alpha: float, other: Component) -> None:
        mine, theirs = getattr(self, name), getattr(other, name)
        if not isinstance(mine, np.ndarray):
            setattr(self, name, type(mine)(mine + alpha * theirs))
        elif theirs.size:
            if mine.size == 0:
                mine = np.zeros_like(theirs)
            if mine.shape != theirs.shape:
                raise KaldiError(
                    f"{self.TYPE}: cannot add {name} of shape {theirs.shape} to {mine.shape}: the networks differ"
                )
            setattr(self, name, mine + mine.dtype.type(alpha) * theirs)


def _copied(value: Any) -> Any:
    if isinstance(value, (np.ndarray, Component)):
        return value.copy()
    if isinstance(value, list):
        return [_copied(item) for item in value]
    return value


class UpdatableComponent(Component):
    """A component with parameters and a learning rate."""

    PARAMS: ClassVar[tuple[str, ...]] = ()
    """Parameter arrays in the order in which Kaldi vectorizes them (matrices row by row)."""
    COMMON: ClassVar[tuple[Field, ...]] = (
        Field("<LearningRateFactor>", FLOAT, "learning_rate_factor", when=lambda c: c.learning_rate_factor != 1.0),
        Field("<IsGradient>", BOOL, "is_gradient", when=lambda c: c.is_gradient),
        Field("<MaxChange>", FLOAT, "max_change", when=lambda c: c.max_change > 0.0),
        Field("<L2Regularize>", FLOAT, "l2_regularize", when=lambda c: c.l2_regularize > 0.0),
        Field("<LearningRate>", FLOAT, "learning_rate", optional=True),
    )

    learning_rate: float = 0.001
    learning_rate_factor: float = 1.0
    max_change: float = 0.0
    l2_regularize: float = 0.0
    is_gradient: bool = False
    is_updatable: bool = True

    @classmethod
    def fields(cls) -> tuple[Field, ...]:
        """With those that every updatable component has."""
        return cls.COMMON + cls.FIELDS

    def configure_rates(self, keys: Keys) -> None:
        """The keys that every updatable component understands."""
        for name in ("learning_rate", "learning_rate_factor", "max_change", "l2_regularize"):
            key = name.replace("_", "-")
            value = keys.get(key, float, getattr(self, name))
            keys.expect(value >= 0.0, f"{key} must not be negative")
            setattr(self, name, value)

    def info(self) -> str:
        """One line as in nnet3-info."""
        parts = [super().info(), f"learning-rate={number(self.learning_rate)}"]
        if self.is_gradient:
            parts.append("is-gradient=true")
        if self.l2_regularize != 0.0:
            parts.append(f"l2-regularize={number(self.l2_regularize)}")
        if self.learning_rate_factor != 1.0:
            parts.append(f"learning-rate-factor={number(self.learning_rate_factor)}")
        if self.max_change > 0.0:
            parts.append(f"max-change={number(self.max_change)}")
        return ", ".join(parts)

    # Learning rates.

    def set_underlying_learning_rate(self, rate: float) -> None:
        """Set the rate to ``rate`` times the component's own factor."""
        self.learning_rate = float(np.float32(rate * self.learning_rate_factor))

    def set_actual_learning_rate(self, rate: float) -> None:
        """Sets the rate itself, whatever the component's own factor."""
        self.learning_rate = float(np.float32(rate))

    def set_as_gradient(self) -> None:
        """Make it hold a gradient: plain sums, no learning rate (Kaldi: SetAsGradient)."""
        self.learning_rate = 1.0
        self.is_gradient = True

    def natural_gradient(self) -> tuple[NaturalGradient, ...]:
        """How its natural gradient is estimated; empty: training follows the plain gradient.

        One estimate for the inputs and one for the output derivatives of a weight matrix; one for each scale or
        offset; else one for the rows of all parameters as one matrix, and perhaps one for its columns.
        """
        return ()

    # Parameters as one vector.

    def parameters(self) -> list[np.ndarray]:
        """The arrays themselves, in the order of ``PARAMS``."""
        return [getattr(self, name) for name in self.PARAMS]

    @property
    def num_parameters(self) -> int:
        """Numbers in all of them."""
        return sum(p.size for p in self.parameters())

    def vectorize(self) -> np.ndarray:
        """All parameters, float32 [num_parameters]."""
        return np.concatenate([p.reshape(-1) for p in self.parameters()] or [np.zeros(0, np.float32)])

    def unvectorize(self, vector: np.ndarray) -> None:
        """Takes over what ``vectorize`` gives."""
        if vector.shape != (self.num_parameters,):
            raise KaldiError(f"{self.TYPE}: expected {self.num_parameters} parameters, got {vector.shape}")
        start = 0
        for name, p in zip(self.PARAMS, self.parameters(), strict=True):
            setattr(self, name, vector[start : start + p.size].astype(np.float32).reshape(p.shape))
            start += p.size

    def scale(self, factor: float) -> None:
        """Scales parameters and statistics."""
        super().scale(factor)
        for name in self.PARAMS:
            self._scale(name, factor)

    def add(self, alpha: float, other: Component) -> None:
        """Adds ``alpha`` times the other's parameters and statistics. Raises KaldiError for another type or shape."""
        super().add(alpha, other)
        for name in self.PARAMS:
            self._add(name, alpha, other)

    def dot(self, other: Component) -> float:
        """Inner product of the two parameter vectors."""
        self._expect_same_type(other)
        assert isinstance(other, UpdatableComponent)
        total = 0.0
        for name, mine, theirs in zip(self.PARAMS, self.parameters(), other.parameters(), strict=True):
            self.expect(mine.shape == theirs.shape, f"{name} has another shape: the networks differ")
            total += float(np.vdot(mine.astype(np.float64), theirs))
        return total

    def perturb_params(self, stddev: float) -> None:
        """Add Gaussian noise to every parameter."""
        from nnet3_compat.components.randomness import gaussian

        for name in self.PARAMS:
            value = getattr(self, name)
            setattr(self, name, value + gaussian(*value.shape, stddev=stddev))


def read_component(stream: InputStream, binary: bool) -> Component:
    """Read a component from its opening ``<Type>`` token on."""
    token = basic_io.read_token(stream, binary)
    kind = COMPONENTS.get(token[1:-1]) if token.startswith("<") and token.endswith(">") else None
    if kind is None:
        raise KaldiError(f"{stream.name}: unknown component type {token!r}")
    return kind.read(stream, binary)


def new_component(type_name: str, line: ConfigLine) -> Component:
    """A new component of the named type, as the config line describes it."""
    kind = COMPONENTS.get(type_name)
    if kind is None:
        raise KaldiError(f"unknown component type {type_name!r} in config line: {line.whole_line}")
    return kind.init_from_config(line)

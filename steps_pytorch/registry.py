"""Models, objectives, optimizers by name, each with options of its own.

MODELS = Registry[Model]("model", "steps_pytorch.models", ("nnet3", "tdnn"))

@MODELS.add("tdnn", TdnnOptions)                      # in steps_pytorch/models/tdnn.py
def make_tdnn(options: TdnnOptions, dimensions: Dimensions) -> Model: ...

model = MODELS.build("tdnn", ["--hidden-dim=512"], dimensions)
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.options import UsageError, options_of, specs_of

T = TypeVar("T")
M = TypeVar("M", bound=Callable[..., Any])
Maker = Callable[..., T]


@dataclass(frozen=True)
class Dimensions:
    """What data and targets ask of a model.

    Attributes:
        feature_dim, ivector_dim (0: none), num_pdfs.
        frame_subsampling_factor: input frames per output frame.
        xent: whether a second branch is wanted, for the cross-entropy regularizer of LF-MMI.
    """

    feature_dim: int
    num_pdfs: int
    ivector_dim: int = 0
    frame_subsampling_factor: int = 1
    xent: bool = False


class Registry(Generic[T]):
    """Makers by name; the modules that hold them are imported when a name is first looked up."""

    def __init__(self, kind: str, package: str, modules: Sequence[str]) -> None:
        self._kind, self._package, self._modules = kind, package, tuple(modules)
        self._makers: dict[str, tuple[Any, Maker[T]]] = {}

    def add(self, name: str, options: Any) -> Callable[[M], M]:
        """Decorator: the function makes what ``name`` stands for, of a dataclass of options and whatever is given."""

        def register(make: M) -> M:
            self._makers[name] = (options, make)
            return make

        return register

    @property
    def names(self) -> list[str]:
        for module in self._modules:
            importlib.import_module(f"{self._package}.{module}")
        return sorted(self._makers)

    def options_of(self, name: str) -> list[str]:
        """The options of one of them. Raises KaldiError for an unknown name."""
        return [spec.name for spec in specs_of(self._find(name)[0])]

    def _find(self, name: str) -> tuple[Any, Maker[T]]:
        if name not in self.names:
            raise KaldiError(f"there is no {self._kind} {name!r}; known are {', '.join(self.names)}")
        return self._makers[name]

    def build(self, name: str, words: Sequence[str], *given: Any) -> T:
        """``words``: its options as on a command line, each ``--name=value``; ``given`` goes to the maker as it is.

        Raises KaldiError for an unknown name or option, and what the maker raises.
        """
        options_class, make = self._find(name)
        try:
            options = options_of(words, options_class)
        except UsageError as error:
            known = " ".join(f"--{spec.name}" for spec in specs_of(options_class))
            raise KaldiError(f"{self._kind} {name}: {error}; its options are {known or 'none'}") from None
        return make(options, *given)

    def help(self) -> str:
        """All names with their options, as lines of text."""
        lines = []
        for name in self.names:
            lines.append(f"{self._kind} {name}\n")
            lines += [spec.usage_line() for spec in specs_of(self._makers[name][0])]
        return "".join(lines)

"""An nnet3 network as a torch module.

    network = Network.from_nnet(nnet)            # nnet: nnet3_compat.structure.nnet.Nnet
    output = network(features, ivector)          # [N, T, D], [N, K] -> [N, T_out, P]
    nnet = network.to_nnet()                     # back, every field that is not trained unchanged

``train()`` is Kaldi's training mode (batch norm with the statistics of the minibatch, which it accumulates; dropout),
and ``eval()`` its test mode. Parameters are parameters. The first output frame is that of input frame
``left_context``; with ``factor=3`` only every third output frame is wanted, and only what those need is computed.

**How it runs, and what an exporter builds upon.** Everything that depends on the number of frames is a *layout*: lists
of integers made for a *request* (request.py) from the network's structure, in numpy (plan.py, layout.py). Everything
else is an *executor* (executor.py), a scriptable module that takes tensors, time first, and a layout:

    executor = network.executor(("output",))     # Executor; shares the parameters; torch.jit.script(executor) works
    executor.input_names                         # e.g. ["input", "ivector"]: the order of its inputs
    outputs = executor(inputs, layout)           # List[Tensor [T, N, D]], List[List[int]] -> List[Tensor [T_out, N, P]]

    request = network.request(n, factor=3)       # n output frames per sequence at times 0, 3, 6, ..., with the context
                                                 # that the network needs: "input" has request.num_inputs rows, the
                                                 # first at time -left_context; "ivector" has one row, at time 0
    network.layout(request)                      # its layout
    network.layout_table(request)                # LayoutTable (period, minimum, sizes, base, slope) or None: the same
                                                 # layouts, n >= minimum, as integer arithmetic that an archive can do:
                                                 # base[n % period] + slope[n % period] * (n // period), cut by sizes

``layout_table()`` is None for the few networks whose layouts are not affine in n; an archive of such a network can only
hold the layouts of chosen sizes. For n below ``minimum`` the archive can compute more frames and drop the last ones
where the network is ``chunk_invariant``, or hold those layouts as a list.
"""

from __future__ import annotations

import copy
import functools
import re
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from kaldi_bridge.errors import KaldiError
from nnet3_compat import modules
from nnet3_compat.network.executor import Executor
from nnet3_compat.structure.context import compute_context, modulus
from nnet3_compat.structure.graph import Graph, build_graph
from nnet3_compat.structure.layout import Layout, LayoutTable
from nnet3_compat.structure.layouts import Layouts
from nnet3_compat.structure.request import Request

if TYPE_CHECKING:
    from nnet3_compat.structure.nnet import Nnet


class Network(nn.Module):
    """See the top of this file.

    Attributes:
        components: ModuleDict, one module per component of the network, dots of names replaced by ``_``.
        left_context, right_context: frames, for outputs at any time (Kaldi's ComputeSimpleNnetContext).
        modulus: time shifts by multiples of it leave the network as it is.
        input_dim, ivector_dim (0: none), output_dim.
    """

    def __init__(self, nnet: Nnet) -> None:
        super().__init__()
        self._nnet = copy.deepcopy(nnet)
        self._keys: dict[str, str] = {}
        self.components = nn.ModuleDict()
        for name, component in nnet.components.items():
            key = re.sub(r"\W", "_", name)
            while hasattr(self.components, key):  # taken by another, or a method such as half()
                key += "_"
            self._keys[name] = key
            self.components[key] = modules.from_component(component)
        self.modulus = modulus(nnet)
        self.ivector_dim: int = max(nnet.input_dim("ivector"), 0)
        self._graphs: dict[tuple[str, ...], Graph] = {}
        self._executors: dict[tuple[str, ...], Executor] = {}
        self._layouts: dict[tuple[str, ...], Layouts] = {}
        self.eval()

    @classmethod
    def from_nnet(cls, nnet: Nnet) -> Network:
        """The network of a model file, in test mode. ``nnet`` is not changed and shares nothing with the module.

        Raises KaldiError where it has something that cannot be run.
        """
        return cls(nnet)

    @functools.cached_property
    def _context(self) -> tuple[int, int]:
        return compute_context(self._nnet)

    @property
    def left_context(self) -> int:
        """In frames; see above. Raises KaldiError where there is no node "input" or no node "output"."""
        return self._context[0]

    @property
    def right_context(self) -> int:
        """In frames, as ``left_context``."""
        return self._context[1]

    @property
    def input_dim(self) -> int:
        """Raises KaldiError where there is no node "input"."""
        return self._nnet.node_dim("input")

    @property
    def output_dim(self) -> int:
        """Raises KaldiError where there is no node "output"."""
        return self._nnet.node_dim("output")

    def modules_by_name(self) -> dict[str, modules.ComponentModule[Any]]:
        """The module of each component, by the component's name in the file."""
        found = {}
        for name, key in self._keys.items():
            module = self.components[key]
            assert isinstance(module, modules.ComponentModule)
            found[name] = module
        return found

    def to_nnet(self) -> Nnet:
        """A new Nnet with the present parameters and statistics; all else as it was read."""
        nnet = copy.deepcopy(self._nnet)
        for name, module in self.modules_by_name().items():
            nnet.components[name] = module.to_component()
        return nnet

    def graph(self, outputs: tuple[str, ...] = ("output",)) -> Graph:
        """What the given output nodes depend on."""
        if outputs not in self._graphs:
            self._graphs[outputs] = build_graph(self._nnet, outputs)
        return self._graphs[outputs]

    def executor(self, outputs: tuple[str, ...] = ("output",)) -> Executor:
        """The scriptable part of the network for the given output nodes; shares this module's parameters and mode."""
        if outputs not in self._executors:
            self._executors[outputs] = Executor(self.graph(outputs), self.modules_by_name())
        made = self._executors[outputs]
        if made.training != self.training:
            components = set(self.components.modules())  # their modes are their own
            for module in made.modules():
                if module not in components:
                    module.training = self.training
        return made

    def request(
        self, num_outputs: int, *, factor: int = 1, left: int | None = None, right: int | None = None, **rest: Any
    ) -> Request:
        """A request with as much context as the network needs, where nothing else is said; ``rest``: see Request."""
        left = self.left_context if left is None else left
        right = self.right_context if right is None else right
        return Request(num_outputs, left, right, factor, **rest)

    def layout(self, request: Request) -> Layout:
        """The layout for a request; those that were asked for lately are kept.

        Raises:
            KaldiError: an output frame cannot be computed from the inputs.
        """
        return self._layouts_of(request).layout(request)

    def layout_table(self, request: Request) -> LayoutTable | None:
        """Layouts for any number of outputs, else as requested (see the top of this file); ``layout`` uses them from
        then on. None: they are not affine in that number."""
        return self._layouts_of(request).table(request)

    def _layouts_of(self, request: Request) -> Layouts:
        if request.outputs not in self._layouts:
            self._layouts[request.outputs] = Layouts(self.graph(request.outputs))
        return self._layouts[request.outputs]

    def forward(
        self,
        features: Tensor,
        ivector: Tensor | None = None,
        *,
        factor: int = 1,
        num_outputs: int | None = None,
        left: int | None = None,
        outputs: tuple[str, ...] = ("output",),
        ivector_period: int = 0,
        deriv_times: tuple[int, int] | None = None,
    ) -> Tensor | list[Tensor]:
        """Computes output frames 0, ``factor``, 2 ``factor``, ... of each sequence.

        Args:
            features: [N, T, D]; the first frame is at time ``-left`` (default: the left context of the network).
            ivector: [N, K], or [N, R, K] with rows at times 0, ``ivector_period``, 2 ``ivector_period``, ...
            num_outputs: default: as many as the right context of the network allows.
            outputs: names of output nodes.
            deriv_times: in training mode, the first and the last time at which derivatives count, the others being
                zero within the network (nnet3/nnet-optimize.h, LimitDerivativeTimes).
        Returns:
            [N, num_outputs, P]; a list of such tensors when there is more than one output node.
        Raises:
            KaldiError: wrong dimensions, missing or superfluous i-vector, too few frames.
        """
        left = self.left_context if left is None else left
        inputs = self.check_inputs(features, ivector)
        frames = features.shape[1]
        if num_outputs is None:
            num_outputs = (frames - left - self.right_context - 1) // factor + 1
        if num_outputs < 1:
            raise KaldiError(
                f"{frames} frames are too few: one output frame needs {left + 1 + self.right_context} "
                f"({left} to the left of it, {self.right_context} to the right)"
            )
        right = frames - left - 1 - (num_outputs - 1) * factor
        rows = 1 if ivector is None or ivector.dim() == 2 else ivector.shape[1]
        request = Request(
            num_outputs, left, right, factor, outputs, rows, ivector_period,
            training=self.training, deriv_times=deriv_times if self.training else None,
        )  # fmt: skip
        executor = self.executor(outputs)
        made = executor([inputs[name] for name in executor.input_names], self.layout(request))
        turned = [y.transpose(0, 1) for y in made]
        return turned[0] if len(turned) == 1 else turned

    def check_inputs(self, features: Tensor, ivector: Tensor | None) -> dict[str, Tensor]:
        """The inputs by name, time first; raises KaldiError where their shapes do not fit."""
        if features.dim() != 3 or features.shape[2] != self.input_dim:
            given = features.shape[-1]
            raise KaldiError(
                f"Neural net expects 'input' features with dimension {self.input_dim} but you provided {given}"
            )
        given = 0 if ivector is None else ivector.shape[-1]
        if given != self.ivector_dim:
            raise KaldiError(
                f"Neural net expects 'ivector' features with dimension {self.ivector_dim} but you provided {given}"
            )
        inputs = {"input": features.transpose(0, 1).contiguous()}
        if ivector is not None:
            inputs["ivector"] = ivector.unsqueeze(0) if ivector.dim() == 2 else ivector.transpose(0, 1)
        return inputs

    def __deepcopy__(self, memo: dict[int, Any]) -> Network:
        made = Network(self.to_nnet())
        made.train(self.training)
        reference = next(self.parameters(), None)
        return made if reference is None else made.to(reference.device, reference.dtype)

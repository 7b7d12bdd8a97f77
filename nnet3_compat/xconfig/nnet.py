"""From an xconfig to a network, without files in between."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from nnet3_compat.structure.nnet import Nnet
from nnet3_compat.xconfig.basic import IdctLayer
from nnet3_compat.xconfig.parser import parse_xconfig
from nnet3_compat.xconfig.writer import config_lines, write_matrix


def nnet_of_xconfig(lines: Iterable[str]) -> Nnet:
    """The network, with random parameters (``components.set_seed``).

    An idct-layer's matrix is made here, wherever its affine-transform-file is. Raises KaldiError naming the line.
    """
    layers = parse_xconfig(lines)
    with tempfile.TemporaryDirectory() as folder:
        for number, layer in enumerate(layers):
            if isinstance(layer, IdctLayer):
                layer.config["affine-transform-file"] = str(Path(folder, f"{number}.mat"))
                write_matrix(layer)
        return Nnet.from_config(config_lines(layers)["final"])

"""From layers to the files that training scripts read (steps/nnet3/xconfig_to_configs.py)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.text import encode
from nnet3_compat.model.edits import edit
from nnet3_compat.model.model_file import read_nnet, write_model
from nnet3_compat.structure.context import compute_context
from nnet3_compat.structure.nnet import Nnet
from nnet3_compat.xconfig.basic import IdctLayer
from nnet3_compat.xconfig.layer import Layer
from nnet3_compat.xconfig.parser import existing_layers, parse_xconfig

_ABOUT = {
    "init": "# The input of the network, for gathering statistics for a transform of the features like LDA.",
    "ref": "# The whole network, with random matrices where final.config reads them from files: to find its contexts.",
    "final": "# The whole network.",
}


def config_lines(layers: Sequence[Layer]) -> dict[str, list[str]]:
    """The lines of init (empty when it has no output), ref and final config."""
    lines: dict[str, list[str]] = {"init": [], "ref": [], "final": []}
    for layer in layers:
        for config, line in layer.config_lines():
            lines[config].append(line)
    if not any(line.startswith("output-node") for line in lines["init"]):
        lines["init"] = []
    if not any(line.startswith("output-node") for line in lines["final"]):
        raise KaldiError("the xconfig has no output layer")
    return lines


def write_configs(
    xconfig: Sequence[str], config_dir: Path, command: str, existing_model: str | None, nnet_edits: str | None
) -> None:
    """Writes xconfig, xconfig.expanded.1 and .2, {init,ref,final}.config, ref.raw and vars into the directory.

    Raises KaldiError naming the line of the xconfig, or when init.config needs more context than the whole network.
    """
    nnet = read_nnet(existing_model) if existing_model else Nnet()
    layers = parse_xconfig(xconfig, existing_layers(nnet))
    config_dir.mkdir(parents=True, exist_ok=True)
    made_by = f"# This file was created by the command:\n# {command}\n"
    _write(
        config_dir / "xconfig", [f"{made_by}# It is a copy of the source of the configs in this directory.\n"], xconfig
    )
    about = "# Its content is that of ./xconfig, with the defaults of all options"
    _write(config_dir / "xconfig.expanded.1", [f"{made_by}{about}.\n"], [str(layer) for layer in layers])
    lines = config_lines(layers)
    for layer in layers:
        layer.normalize_descriptors()
        if isinstance(layer, IdctLayer):
            write_matrix(layer)
    _write(
        config_dir / "xconfig.expanded.2",
        [f"{made_by}{about}, inputs written out.\n"],
        [str(layer) for layer in layers],
    )
    (config_dir / "init.config").unlink(missing_ok=True)
    contexts = {}
    for name in ("init", "ref", "final"):
        if not lines[name]:
            continue
        _write(config_dir / f"{name}.config", [f"{made_by}{_ABOUT[name]}\n"], lines[name])
        if name == "final":
            continue
        network = nnet.copy()
        network.read_config(lines[name])
        write_model(str(config_dir / f"{name}.raw"), network)
        if nnet_edits and name == "ref":
            edit(network, nnet_edits.split(";"))
        contexts[name] = compute_context(network)
    left, right = contexts["ref"]
    if "init" in contexts and (contexts["init"][0] > left or contexts["init"][1] > right):
        raise KaldiError(
            "init.config needs more context than the whole network: with a label delay at the output, "
            "give the fixed-affine-layer delay=<label delay>"
        )
    _write(config_dir / "vars", [], [f"model_left_context={left}", f"model_right_context={right}"])


def write_matrix(layer: IdctLayer) -> None:
    """Into the file that its affine-transform-file names."""
    rows = [" ".join(map(str, row)) for row in layer.matrix().tolist()]
    _write(Path(layer.config["affine-transform-file"]), [], [f"[ {rows[0]}", *rows[1:-1], f"{rows[-1]} ]"])


def _write(path: Path, head: list[str], lines: Sequence[str]) -> None:
    with open_output(str(path)) as stream:
        stream.write(encode("".join(f"{line.rstrip(chr(10))}\n" for line in [*head, *lines])))

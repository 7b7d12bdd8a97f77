"""nnet-pytorch-make-graph: decoding graphs, as utils/mkgraph.sh makes them with Kaldi's programs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.graphs.graph_directory import is_newer, make_graph_directory

USAGE = """Make a decoding graph of a lang directory and a model.
Usage: nnet-pytorch-make-graph [options] <lang-dir> <model-dir> <graph-dir>
e.g.: nnet-pytorch-make-graph --self-loop-scale=1.0 data/lang_test exp/tdnn exp/tdnn/graph"""


@dataclass
class Options:
    """Options of mkgraph.sh."""

    transition_scale: float = option(1.0, "Scale of transition log-probabilities")
    self_loop_scale: float = option(0.1, "Scale of self-loop log-probabilities: 0.1 for GMMs, 1.0 for chain models")
    remove_oov: bool = option(False, "Leave out paths with the word of oov.int")


def make_graph(options: Options, lang: str, model_dir: str, graph_dir: str) -> int:
    tree, model, graph = (Path(model_dir) / "tree", Path(model_dir) / "final.mdl", Path(graph_dir) / "HCLG.fst")
    needed = [Path(lang) / name for name in ("L_disambig.fst", "G.fst", "phones.txt", "words.txt")]
    for file in [*needed, tree, model]:
        if not file.is_file():
            raise KaldiError(f"no such file {file}")
    if is_newer(graph, *needed, tree, model):
        log.info(f"{graph} is up to date.")
        return 0
    if (Path(model_dir) / "frame_subsampling_factor").exists() and options.self_loop_scale == 0.1:
        log.warning("chain models need --self-loop-scale 1.0")
    make_graph_directory(
        lang, str(tree), str(model), graph_dir, options.transition_scale, options.self_loop_scale, options.remove_oov
    )
    log.info(f"Wrote {graph}")
    return 0


main = command(make_graph, usage=USAGE, script=True)

if __name__ == "__main__":
    main()

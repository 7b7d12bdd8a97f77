"""How fast a chain model is trained, beside nnet3-chain-train.

    python bench/training.py [mini] [--minibatches=8] [--after=12] [--sequences=32] [--threads=1] [--rounds=2]
                              [--shares]

"mini" is the TDNN-F of Kaldi's mini-LibriSpeech recipe, "cnn" the CNN-TDNN of bench/computation.py, "lstm" a TDNN with
two projected LSTMs. Minibatches of 32 chunks of 140 frames, made here (random features, one path through a random
denominator graph each), natural gradient, cross-entropy output, all of nnet3's rules. Time is the processors', which
other programs on the machine disturb less than the wall clock, of all minibatches but the first twelve: natural
gradient learns from each of the first ten and from every fourth thereafter, as Kaldi's. Frames are of input. Where
nnet3-chain-train is on the PATH it runs on the same files, as many threads, in turn with ours, which on a processor
with AMX runs without it, too. --shares tells instead where the time of ours goes (training_shares.py). With a GPU,
--use-gpu=yes runs ours there.
"""

from __future__ import annotations

import argparse
import itertools
import math
import os
import tempfile
from pathlib import Path

import numpy as np
from beside_kaldi import kaldi_has, seconds
from chain import made_graph
from computation import SIZES, config, sgemm

from kaldi_bridge.examples.chain_examples import RAW_CHAIN_EXAMPLE, ChainExample, ChainOutput
from kaldi_bridge.examples.frame_examples import NnetIo
from kaldi_bridge.examples.merging import merge_chain_examples
from kaldi_bridge.examples.supervision import Supervision
from kaldi_bridge.fsts.acceptors import Acceptor
from kaldi_bridge.fsts.fst import Fst, write_fst
from kaldi_bridge.io.compressed import CompressedMatrix
from kaldi_bridge.tables import TableWriter
from nnet3_compat.chain.denominator_graph import DenominatorGraph
from nnet3_compat.model.model_file import write_model
from nnet3_compat.modules.products import can_multiply
from nnet3_compat.structure.nnet import Nnet
from nnet3_compat.xconfig.nnet import nnet_of_xconfig

CHUNK, FACTOR, LEFT, RIGHT = 141, 3, 35, 35
LSTM = [
    "input dim=40 name=input",
    "relu-batchnorm-layer name=tdnn1 input=Append(-2,-1,0,1,2) dim=512",
    "fast-lstmp-layer name=lstm1 cell-dim=512 recurrent-projection-dim=128 non-recurrent-projection-dim=128 delay=-3",
    "relu-batchnorm-layer name=tdnn2 input=Append(-3,0,3) dim=512",
    "fast-lstmp-layer name=lstm2 cell-dim=512 recurrent-projection-dim=128 non-recurrent-projection-dim=128 delay=-3",
    "output-layer name=output input=lstm2 dim=2336 include-log-softmax=false",
    "output-layer name=output-xent input=lstm2 dim=2336",
]
OPTIONS = "--leaky-hmm-coefficient=0.1 --xent-regularize=0.1 --max-param-change=2.0"


def make_model(path: str, kind: str) -> None:
    """The network with a cross-entropy branch, learning rates, constraints and L2 as in the recipe."""
    nnet = nnet_of_xconfig(LSTM) if kind == "lstm" else tdnnf(kind)
    for name, component in nnet.components.items():
        if hasattr(component, "learning_rate"):
            component.learning_rate, component.max_change, component.l2_regularize = 2e-4, 0.75, 0.01
        if name.endswith(".linear") or name == "prefinal-l":
            component.orthonormal_constraint = -1.0
    write_model(path, nnet)


def tdnnf(size: str) -> Nnet:
    """The network of bench/computation.py with a cross-entropy branch."""
    lines = config(**SIZES[size])
    small, outputs, dim = (SIZES[size][k] for k in ("small", "outputs", "dim"))
    lines += [
        f"component name=xent.affine type=NaturalGradientAffineComponent input-dim={small} output-dim={dim}",
        "component-node name=xent.affine component=xent.affine input=prefinal-l",
        f"component name=xent.relu type=RectifiedLinearComponent dim={dim}",
        "component-node name=xent.relu component=xent.relu input=xent.affine",
        f"component name=xent.batchnorm type=BatchNormComponent dim={dim}",
        "component-node name=xent.batchnorm component=xent.batchnorm input=xent.relu",
        f"component name=xent.linear type=LinearComponent input-dim={dim} output-dim={small}",
        "component-node name=xent.linear component=xent.linear input=xent.batchnorm",
        f"component name=output-xent.affine type=NaturalGradientAffineComponent input-dim={small} output-dim={outputs}",
        "component-node name=output-xent.affine component=output-xent.affine input=xent.linear",
        f"component name=output-xent.log-softmax type=LogSoftmaxComponent dim={outputs}",
        "component-node name=output-xent.log-softmax component=output-xent.log-softmax input=output-xent.affine",
        "output-node name=output-xent input=output-xent.log-softmax",
    ]
    return Nnet.from_config(lines)


def graph_fst(graph: DenominatorGraph) -> Fst:
    arcs: list[list[tuple[int, float, int]]] = [[] for _ in range(graph.num_states)]
    columns = (graph.source, graph.target, graph.pdf, graph.probability)
    for source, target, pdf, probability in zip(*(c.tolist() for c in columns), strict=True):
        arcs[source].append((pdf + 1, -float(np.log(probability)), target))
    return Acceptor(0, arcs, [0.0] * graph.num_states).to_fst()


def make_examples(path: str, graph: DenominatorGraph, minibatches: int, sequences: int) -> None:
    random = np.random.default_rng(0)
    by_source = np.argsort(graph.source, kind="stable")
    first = np.searchsorted(graph.source[by_source], np.arange(graph.num_states + 1))
    frames = CHUNK // FACTOR
    times = np.zeros((LEFT + CHUNK + RIGHT, 3), np.int32)
    times[:, 1] = np.arange(-LEFT, CHUNK + RIGHT)
    labels = np.zeros((frames, 3), np.int32)
    labels[:, 1] = FACTOR * np.arange(frames)
    with TableWriter(f"ark:{path}", RAW_CHAIN_EXAMPLE) as writer:
        for number in range(minibatches):
            parts = []
            for _ in range(sequences):
                state, pdfs = int(random.integers(graph.num_states)), []
                for _ in range(frames):
                    arc = by_source[random.integers(first[state], first[state + 1])]
                    pdfs.append(int(graph.pdf[arc]))
                    state = int(graph.target[arc])
                path_arcs = [[(pdf + 1, 0.0, i + 1)] for i, pdf in enumerate(pdfs)]
                fst = Acceptor(0, [*path_arcs, []], [np.inf] * frames + [0.0]).to_fst()
                supervision = Supervision(1.0, 1, frames, graph.num_pdfs, fst)
                features = CompressedMatrix.compress(random.standard_normal((len(times), 40), np.float32))
                output = ChainOutput("output", labels, supervision, np.ones(frames, np.float32))
                parts.append(RAW_CHAIN_EXAMPLE.data(ChainExample([NnetIo("input", times, features)], [output])))
            writer.write(f"merged-{number}-{sequences}", merge_chain_examples(parts))


def report_shares(model: str, den: str, egs: str, minibatches: int, after: int) -> None:
    """Trains in this process, and prints what takes the time."""
    import torch
    from training_shares import Shares, cost_of_an_operation

    from kaldi_bridge.examples.chain_examples import CHAIN_EXAMPLE
    from kaldi_bridge.tables import SequentialReader
    from nnet3_compat.chain import objective
    from nnet3_compat.machine.memory import keep_memory
    from nnet3_compat.model.model_file import read_nnet
    from nnet3_compat.modules import rectified_norm
    from nnet3_compat.modules.extension import extension
    from nnet3_compat.training import rules, trainer, updates
    from nnet3_compat.training.natural_gradient import OnlineNaturalGradient
    from nnet3_compat.training.objectives import ChainTraining
    from nnet3_compat.training.options import ChainProgramOptions

    keep_memory()
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    shares = Shares()
    shares.cost = cost_of_an_operation(shares)
    parts = [
        (trainer, "compute_outputs", "network forward"),
        (trainer, "backpropagate", "network backward"),
        (rectified_norm.JoinedFunction, "forward", "ReLU, batch norm, dropout, bypass forward"),
        (rectified_norm.JoinedFunction, "backward", "ReLU, batch norm, dropout, bypass backward"),
        (ChainTraining, "evaluate", "LF-MMI: sums, L2, cross-entropy"),
        (objective, "denominator", "LF-MMI: denominator"),
        (objective, "begin_numerator", "LF-MMI: numerator"),
        (updates.AffineUpdate, "direction", "gradients of parameters"),
        (OnlineNaturalGradient, "precondition", "natural gradient"),
        (rules.TrainingRules, "update", "max-change, L2, momentum, update"),
        (rules, "constrain", "semi-orthogonal constraint"),
    ]
    if (native := extension()) is not None:
        shares.products_of(native)
    for owner, name, title in parts:
        shares.part(owner, name, title)
    nnet = read_nnet(model)
    graph = DenominatorGraph.read(den, nnet.node_dim("output"))
    options = ChainProgramOptions(leaky_hmm_coefficient=0.1, xent_regularize=0.1, max_param_change=2.0)
    made = trainer.Trainer(nnet, ChainTraining(nnet, graph, options), options)
    with SequentialReader(f"ark:{egs}", CHAIN_EXAMPLE) as examples:
        pairs = iter(examples)
        with shares:
            for _, example in itertools.islice(pairs, after):
                made.train(example)
            shares.forget()
            for _, example in shares.each(pairs, "reading examples"):
                made.train(example)
    print(shares.report(minibatches, sgemm()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", nargs="?", default="mini", choices=["mini", "cnn", "lstm"])
    parser.add_argument("--minibatches", type=int, default=8)
    parser.add_argument("--after", type=int, default=12, help="minibatches before those that count")
    parser.add_argument("--sequences", type=int, default=32)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--use-gpu", default="no")
    parser.add_argument("--shares", action="store_true", help="tell what takes the time of ours")
    arguments = parser.parse_args()
    graph = made_graph(num_states=2000, num_arcs=20000, num_pdfs=SIZES["mini"]["outputs"])
    count = arguments.threads
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(count)))
    with tempfile.TemporaryDirectory() as folder:
        model, den, few, many = (str(Path(folder, name)) for name in ("0.raw", "den.fst", "few.cegs", "many.cegs"))
        make_model(model, arguments.kind)
        write_fst(den, graph_fst(graph))
        make_examples(few, graph, arguments.after, arguments.sequences)
        make_examples(many, graph, arguments.after + arguments.minibatches, arguments.sequences)
        if arguments.shares:
            return report_shares(model, den, many, arguments.minibatches, arguments.after)
        programs = {"ours": f"nnet-pytorch-train-chain --use-gpu={arguments.use_gpu}"}
        if arguments.use_gpu == "no" and can_multiply():
            programs["ours, no AMX"] = "NNET_PYTORCH_INSTRUCTIONS=avx512_bf16 nnet-pytorch-train-chain --use-gpu=no"
        if kaldi_has("nnet3-chain-train"):
            programs["Kaldi"] = "nnet3-chain-train --use-gpu=no"
        else:
            print("nnet3-chain-train is not on the PATH")

        def train(title: str, egs: str) -> float:
            taken = seconds(f"{programs[title]} {OPTIONS} {model} {den} ark:{egs} {folder}/out.raw")[1]
            print(f"{title}, {'few' if egs == few else 'many'} minibatches: {taken:.2f} cpu-s", flush=True)
            return taken

        best = {(title, egs): math.inf for title in programs for egs in (few, many)}
        for _ in range(arguments.rounds):
            for title, egs in best:
                best[title, egs] = min(best[title, egs], train(title, egs))
        spent = {title: best[title, many] - best[title, few] for title in programs}
        frames = arguments.minibatches * arguments.sequences * CHUNK
        for title, passed in spent.items():
            each, rate = passed / arguments.minibatches, frames / passed
            times = f", {spent['Kaldi'] / passed:.2f} times Kaldi's speed" if "Kaldi" in spent else ""
            print(f"{title:<13}{each:6.3f} cpu-s a minibatch,{rate:8.0f} frames/cpu-s, {count} threads{times}")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Trains a small acoustic model on synthetic digits and makes the graph that goes with it.

    train.py <data-dir> <model-dir> <graph-dir>

A TDNN with one pdf per phone, trained in PyTorch by cross-entropy: first on words cut into phones of equal length,
then on its own alignments. It is written as an nnet3 final.mdl, with the priors inside the last layer's bias.
"""

from __future__ import annotations

import math
import sys
import wave
from pathlib import Path

import numpy as np
import torch
from torch import nn

from kaldi_bridge.features.extractor import FeatureExtractor
from kaldi_bridge.features.options import MfccOptions
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.hmm.topology import HmmState, Topology
from kaldi_bridge.hmm.tree import Constant, ContextDependency, Table, make_transition_model
from kaldi_bridge.io.basic_io import write_header
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.transforms.cmvn import apply_cmvn, compute_stats
from nnet3_compat.components import set_seed
from nnet3_compat.model.am_nnet import AmNnet
from nnet3_compat.model.model_file import write_model
from nnet3_compat.network.network import Network
from nnet3_compat.structure.nnet import Nnet

LEXICON = {
    "zero": "Z IH R OW", "one": "W AH N", "two": "T UW", "three": "TH R IY", "four": "F AO R", "five": "F AY V",
    "six": "S IH K S", "seven": "S EH V AH N", "eight": "EY T", "nine": "N AY N",
}  # fmt: skip
PHONES = ["SIL", *sorted({phone for pronunciation in LEXICON.values() for phone in pronunciation.split()})]
WORDS = sorted(LEXICON)
RATE, SHIFT, FACTOR, HIDDEN, SILENCE_COST = 8000, 80, 3, 64, 0.7


def config() -> list[str]:
    """The network, as lines of an nnet3 config."""
    lines = ["input-node name=input dim=40"]
    source, dim = "input", 40
    for layer, offsets in (("tdnn1", (-2, -1, 0, 1, 2)), ("tdnn2", (-3, 0, 3)), ("tdnn3", (-3, 0, 3))):
        spliced = ", ".join(f"Offset({source}, {t})" for t in offsets)
        parts = (
            ("affine", f"NaturalGradientAffineComponent input-dim={dim * len(offsets)} output-dim={HIDDEN}"),
            ("relu", f"RectifiedLinearComponent dim={HIDDEN}"),
            ("batchnorm", f"BatchNormComponent dim={HIDDEN}"),
        )
        descriptor = f"Append({spliced})"
        for part, component in parts:
            lines.append(f"component name={layer}.{part} type={component}")
            lines.append(f"component-node name={layer}.{part} component={layer}.{part} input={descriptor}")
            descriptor = f"{layer}.{part}"
        source, dim = descriptor, HIDDEN
    output = f"NaturalGradientAffineComponent input-dim={HIDDEN} output-dim={len(PHONES)}"
    lines.append(f"component name=output.affine type={output}")
    lines.append(f"component-node name=output.affine component=output.affine input={source}")
    lines.append("output-node name=output input=output.affine")
    return lines


def read_table(path: Path) -> dict[str, list[str]]:
    return {line.split()[0]: line.split()[1:] for line in path.read_text().splitlines()}


def features_of(data: Path) -> dict[str, np.ndarray]:
    """Normalized per speaker, as egs/fsdd/demo.sh does it."""
    options = MfccOptions(sample_frequency=RATE, num_mel_bins=40, num_ceps=40, low_freq=40.0, high_freq=-200.0)
    options.use_energy, options.dither = False, 0.0
    extractor = FeatureExtractor(options)
    features = {}
    for utterance, (source,) in read_table(data / "wav.scp").items():
        with wave.open(str(data / source)) as wav:
            samples = np.frombuffer(wav.readframes(wav.getnframes()), dtype="<i2")
        features[utterance] = extractor(samples.astype(np.float32), RATE)
    speakers = {utterance: fields[0] for utterance, fields in read_table(data / "utt2spk").items()}
    stats = {
        speaker: sum(compute_stats(features[u]) for u in features if speakers[u] == speaker)
        for speaker in set(speakers.values())
    }
    return {u: apply_cmvn(stats[speakers[u]], feats, norm_vars=True) for u, feats in features.items()}


def first_alignments(data: Path, features: dict[str, np.ndarray]) -> tuple[dict, dict]:
    """For each utterance its phones in order, and a label for each output frame, a word's phones equally long."""
    words, times = read_table(data / "text"), read_table(data / "digits")
    sequences, labels = {}, {}
    for utterance, feats in features.items():
        sequence, label = ["SIL"], np.zeros(math.ceil(len(feats) / FACTOR), dtype=np.int64)
        for word, time in zip(words[utterance], times[utterance], strict=True):
            phones = LEXICON[word].split()
            start, end = (int(sample) / SHIFT / FACTOR for sample in time.split(","))
            for i, phone in enumerate(phones):
                first, last = (start + (end - start) * j / len(phones) for j in (i, i + 1))
                label[round(first) : max(round(last), round(first) + 1)] = PHONES.index(phone)
            sequence += [*phones, "SIL"]
        sequences[utterance] = [PHONES.index(phone) for phone in sequence]
        labels[utterance] = label
    return sequences, labels


def align(scores: np.ndarray, sequence: list[int]) -> np.ndarray:
    """The best monotonic assignment of frames to the phones of a sequence, each at least one frame long."""
    best = np.full((len(scores), len(sequence)), -np.inf)
    moved = np.zeros(best.shape, dtype=bool)
    best[0, 0] = scores[0, sequence[0]]
    for t in range(1, len(scores)):
        stay, move = best[t - 1], np.concatenate([[-np.inf], best[t - 1, :-1]])
        moved[t] = move > stay
        best[t] = np.maximum(stay, move) + scores[t, sequence]
    path, i = [], len(sequence) - 1
    for t in range(len(scores) - 1, -1, -1):
        path.append(sequence[i])
        i -= int(moved[t, i])
    return np.array(path[::-1])


def padded(network: Network, feats: np.ndarray) -> torch.Tensor:
    """[1, T, D] with the first and last frame repeated, so that there is an output for every third frame."""
    frames = math.ceil(len(feats) / FACTOR)
    right = (frames - 1) * FACTOR + 1 + network.right_context - len(feats)
    edges = ((network.left_context, max(right, 0)), (0, 0))
    return torch.from_numpy(np.pad(feats, edges, mode="edge"))[
        None, : network.request(frames, factor=FACTOR).num_inputs
    ]


def train(network: Network, features: dict, labels: dict, epochs: int) -> None:
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    utterances = sorted(features)
    order = np.random.default_rng(0)
    for epoch in range(epochs):
        network.train()
        total = frames = 0
        for utterance in order.permutation(utterances):
            target = torch.from_numpy(labels[utterance])
            loss = nn.functional.cross_entropy(network(padded(network, features[utterance]), factor=FACTOR)[0], target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total, frames = total + float(loss.detach()) * len(target), frames + len(target)
        print(f"epoch {epoch}: cross-entropy {total / frames:.3f} per frame", file=sys.stderr)


def make_graph(transition_ids: dict[int, tuple[int, int]]) -> Fst:
    """A loop over the words with optional silence; ``transition_ids``: phone -> (first frame, further frames)."""
    arcs: list[tuple[int, int, int, float, int]] = []
    last_state = 0

    def path(pronunciation: list[str], word: int, cost: float) -> None:
        nonlocal last_state
        here = 0
        for phone in pronunciation:
            first, further = transition_ids[PHONES.index(phone) + 1]
            last_state += 1
            arcs.append((here, first, word, cost, last_state))
            arcs.append((last_state, further, 0, 0.0, last_state))
            here, word, cost = last_state, 0, 0.0
        arcs.append((here, 0, 0, 0.0, 0))

    path(["SIL"], 0, SILENCE_COST)
    for number, word in enumerate(WORDS, 1):
        path(LEXICON[word].split(), number, math.log(len(WORDS)))
    return Fst.from_arcs(0, {0: 0.0}, arcs)


def main(arguments: list[str]) -> int:
    if len(arguments) != 3:
        print(__doc__, file=sys.stderr)
        return 1
    data, model_dir, graph_dir = map(Path, arguments)
    torch.manual_seed(0)
    set_seed(0)
    features = features_of(data)
    sequences, labels = first_alignments(data, features)
    network = Network.from_nnet(Nnet.from_config(config()))
    train(network, features, labels, epochs=4)
    for _ in range(2):
        network.eval()
        with torch.no_grad():
            for utterance, feats in features.items():
                scores = network(padded(network, feats), factor=FACTOR)[0].log_softmax(1).numpy()
                labels[utterance] = align(scores, sequences[utterance])
        train(network, features, labels, epochs=4)

    counts = np.bincount(np.concatenate(list(labels.values())), minlength=len(PHONES))
    nnet = network.eval().to_nnet()
    nnet.components["output.affine"].bias_params -= np.log(counts / counts.sum()).astype(np.float32)

    emitting = HmmState(0, 0, [(0, 0.5), (1, 0.5)])
    topology = Topology([[emitting, HmmState()]], {p: 0 for p in range(1, len(PHONES) + 1)})
    pdfs = Table(0, (None, *(Constant(pdf) for pdf in range(len(PHONES)))))
    transitions = make_transition_model(ContextDependency(1, 0, pdfs), topology)
    ids = {}
    for state in range(1, transitions.num_transition_states + 1):
        loop, leave = transitions.transition_ids(state)
        ids[int(transitions.id_to_phone[loop])] = (leave, loop)

    for folder in (model_dir, graph_dir):
        folder.mkdir(parents=True, exist_ok=True)
    write_model(str(model_dir / "final.mdl"), AmNnet(transitions, nnet))
    (model_dir / "cmvn_opts").write_text("--norm-means=true --norm-vars=true\n")
    (model_dir / "frame_subsampling_factor").write_text(f"{FACTOR}\n")
    with open_output(str(model_dir / "tree")) as stream:
        write_header(stream, True)
        ContextDependency(1, 0, pdfs).write(stream, True)
    with open_output(str(graph_dir / "HCLG.fst")) as stream:
        make_graph(ids).write(stream, "const")
    (graph_dir / "words.txt").write_text("".join(f"{w} {i}\n" for i, w in enumerate(["<eps>", *WORDS])))
    for folder in (model_dir, graph_dir):
        (folder / "phones.txt").write_text("".join(f"{p} {i}\n" for i, p in enumerate(["<eps>", *PHONES])))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

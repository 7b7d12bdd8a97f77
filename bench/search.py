"""How fast the lattice search is on one thread, beside kaldi_hmm_gmm (Kaldi's own LatticeFasterDecoder in a wheel).

    python bench/search.py [--words=20000] [--utterances=6] [--shared=../shared]

Both search the same graph with the same scores, beams and limits. kaldi_hmm_gmm gives the best path only, so the ratio
is of the searches; what our determinization adds is in a column of its own. The large graph is a bigram over made-up
words: a prefix tree of phones with the words' self-loops for every history, and a back-off arc to the unigrams' tree.
The scores are random, with the frames of a random sentence made likely. Where the references lie beside the checkout,
Kaldi's graph and network outputs for recorded digits are searched too.
"""

from __future__ import annotations

import kaldi_hmm_gmm  # isort: skip - before kaldifst, which hangs in the other order

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import kaldifst
import numpy as np

from kaldi_bridge.fsts.fst import Fst, read_fst
from kaldi_bridge.fsts.fst_bodies import ARC
from kaldi_bridge.hmm.topology import HmmState, Topology
from kaldi_bridge.hmm.transition_model import TransitionModel, read_transition_model
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.lattices.decoder import Graph, SearchOptions, decode
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX

PHONES, CONTEXTS, SUCCESSORS, ROUNDS = 40, 29, 20, 3
OPTIONS = {"beam": 15.0, "max_active": 7000, "min_active": 200, "lattice_beam": 8.0}


def chain_model(num_phones: int) -> TransitionModel:
    """One state per phone with a pdf for its first frame and one for the others, as in chain models."""
    entry = [HmmState(0, 1, [(0, 0.5), (1, 0.5)]), HmmState()]
    topology = Topology([entry], {phone: 0 for phone in range(1, num_phones + 1)})
    tuples = [(phone, 0, 2 * (phone - 1), 2 * (phone - 1) + 1) for phone in range(1, num_phones + 1)]
    return TransitionModel(topology, np.array(tuples, np.int32), np.zeros(2 * num_phones + 1, np.float32))


class Builder:
    """Arcs of a graph, state by state."""

    def __init__(self) -> None:
        self.arcs: list[tuple[int, int, int, float, int]] = []
        self.num_states = 0

    def state(self) -> int:
        self.num_states += 1
        return self.num_states - 1

    def tree(
        self, root: int, words: dict[int, float], lexicon: list[tuple[int, ...]], ends: Callable[[int], int]
    ) -> None:
        """A prefix tree of words with costs, which are paid as early as all words below an arc share them."""
        children: dict[int, dict[int, int]] = {root: {}}
        best: dict[int, float] = {}
        paths = {}
        for word, cost in words.items():
            path = [root]
            for phone in lexicon[word][:-1]:
                inner = children[path[-1]]
                if phone not in inner:
                    inner[phone] = self.state()
                    children[inner[phone]] = {}
                path.append(inner[phone])
            paths[word] = path
            for state in path:
                best[state] = min(cost, best.get(state, np.inf))
        best[root] = 0.0
        for state, inner in children.items():
            for phone, target in inner.items():
                self.arcs.append((state, 2 * phone - 1, 0, best[target] - best[state], target))
                self.arcs.append((target, 2 * phone, 0, 0.0, target))
        for word, cost in words.items():
            state, phone, last = paths[word][-1], lexicon[word][-1], self.state()
            self.arcs.append((state, 2 * phone - 1, word + 1, cost - best[state], last))
            self.arcs.append((last, 2 * phone, 0, 0.0, last))
            self.arcs.append((last, 0, 0, 0.0, ends(word)))


def bigram_graph(num_words: int, random: np.random.Generator) -> tuple[Fst, list[tuple[int, ...]]]:
    """The graph and the lexicon (context-dependent phones of each word)."""
    lexicon = []
    for _ in range(num_words):
        phones = random.integers(0, PHONES, size=random.integers(3, 9))
        contexts = [(17 * int(before) + 5) % CONTEXTS for before in [0, *phones[:-1]]]
        lexicon.append(tuple(int(p) * CONTEXTS + c + 1 for p, c in zip(phones, contexts, strict=True)))
    frequency = 1.0 / np.arange(1, num_words + 1)
    unigram = -np.log(frequency / frequency.sum())
    builder = Builder()
    backoff, end = builder.state(), builder.state()
    histories = [builder.state() for _ in range(num_words)]
    builder.tree(backoff, dict(enumerate(unigram.tolist())), lexicon, histories.__getitem__)
    for history in histories:
        successors = np.unique(random.choice(num_words, SUCCESSORS, p=frequency / frequency.sum()))
        costs = -np.log(random.dirichlet(np.ones(len(successors))) * 0.7 + 1e-4)
        builder.tree(
            history, dict(zip(successors.tolist(), costs.tolist(), strict=True)), lexicon, histories.__getitem__
        )
        builder.arcs.append((history, 0, 0, 1.2, backoff))
        builder.arcs.append((history, 0, 0, 3.0, end))
    table = np.array(builder.arcs, dtype=[("state", "<i4"), *ARC.descr])
    table = table[np.argsort(table["state"], kind="stable")]
    arcs = np.empty(len(table), dtype=ARC)
    for field in ARC.names or ():
        arcs[field] = table[field]
    finals = np.full(builder.num_states, np.inf, np.float32)
    finals[end] = 0.0
    counts = np.bincount(table["state"], minlength=builder.num_states)
    return Fst(backoff, finals, np.concatenate([[0], np.cumsum(counts)]), arcs), lexicon


def sentence_scores(lexicon: list[tuple[int, ...]], words: int, random: np.random.Generator) -> np.ndarray:
    """Log-likelihoods [frames, pdfs] in which a random sentence stands out from noise."""
    pdfs: list[int] = []
    for word in random.integers(0, len(lexicon), words):
        for phone in lexicon[word]:
            pdfs += [2 * phone - 2] + [2 * phone - 1] * int(random.integers(0, 4))
    scores = random.standard_normal((len(pdfs), 2 * PHONES * CONTEXTS)).astype(np.float32) * 1.2
    scores[np.arange(len(pdfs)), pdfs] += 4.0
    return scores


def best_time(function: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def compare(name: str, fst: Fst, model: TransitionModel, matrices: list[np.ndarray]) -> None:
    graph = Graph(fst, model, name)
    search, whole = SearchOptions(**OPTIONS, determinize_lattice=False), SearchOptions(**OPTIONS)
    with tempfile.TemporaryDirectory() as directory:
        with open_output(f"{directory}/graph.fst") as stream:
            fst.write(stream, "vector")
        their_fst = kaldifst.StdVectorFst.read(f"{directory}/graph.fst")
    config = kaldi_hmm_gmm.LatticeFasterDecoderConfig(**OPTIONS)
    by_id = [np.ascontiguousarray(matrix[:, model.id_to_pdf[1:]]) for matrix in matrices]  # they look up by label
    their_model = kaldi_hmm_gmm.TransitionModel()
    their_words: list[list[int]] = []

    def theirs() -> None:
        their_words.clear()
        for matrix in by_id:
            decoder = kaldi_hmm_gmm.LatticeFasterDecoderStdVectorFst(their_fst, config)
            scores = kaldi_hmm_gmm.DecodableCtc(matrix)
            _, _, words, _ = kaldi_hmm_gmm.decode_utterance_lattice_faster(
                decoder, scores, their_model, "utterance", True
            )
            their_words.append(list(words))

    def ours(options: SearchOptions) -> list[list[int]]:
        decoded = [decode(graph, matrix, options, 1.0) for matrix in matrices]
        return [each.words if each else [] for each in decoded]

    our_words = ours(whole)
    their_time, our_time, whole_time = (
        best_time(theirs),
        best_time(lambda: ours(search)),
        best_time(lambda: ours(whole)),
    )
    same = sum(a == b for a, b in zip(our_words, their_words, strict=True))
    frames = sum(map(len, matrices))
    speeds = [frames / seconds for seconds in (our_time, their_time)]
    print(
        f"{name:<22} {fst.num_states:>9,} {fst.num_arcs:>10,} {frames:>7} {speeds[0]:>9.0f} {speeds[1]:>9.0f} "
        f"{their_time / our_time:>6.2f} {frames / whole_time:>9.0f} {same:>4}/{len(matrices)}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--words", type=int, default=20_000)
    parser.add_argument("--utterances", type=int, default=6)
    parser.add_argument("--shared", default=str(Path(__file__).resolve().parents[2] / "shared"))
    arguments = parser.parse_args()
    print("frames per second on one thread; ratio: ours over kaldi_hmm_gmm's, without our determinization")
    print(
        f"{'graph':<22} {'states':>9} {'arcs':>10} {'frames':>7} {'ours':>9} {'theirs':>9} {'ratio':>6} "
        f"{'+ determ.':>9} same words"
    )
    fsdd = Path(arguments.shared) / "reference/fsdd"
    if fsdd.is_dir():
        with SequentialReader(f"ark:{fsdd}/tdnnf/output.sub3.chunk140.ark", FLOAT_MATRIX) as table:
            matrices = [matrix for _, matrix in table]
        compare(
            "digits", read_fst(f"{fsdd}/graph/HCLG.fst"), read_transition_model(f"{fsdd}/tdnnf/final.mdl"), matrices
        )
    else:
        print(f"(no {fsdd}: only the made graph)")
    random = np.random.default_rng(0)
    fst, lexicon = bigram_graph(arguments.words, random)
    matrices = [sentence_scores(lexicon, 12, random) for _ in range(arguments.utterances)]
    compare(f"bigram, {arguments.words:,} words", fst, chain_model(PHONES * CONTEXTS), matrices)


if __name__ == "__main__":
    main()

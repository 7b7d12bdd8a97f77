"""Determinization of lattices beside Kaldi's programs, on raw lattices of our own search.

    python bench/determinization.py [--utterances=2] [--words=300]

The search of bench/search.py with scores that tell words apart well, and with scores that hardly do, as those of a
badly trained model: such lattices are deep, and their determinization is what decoding them takes (here minutes).
Besides times, it says whether the lattices are the same: as text, to the last state, arc and digit.
"""

from __future__ import annotations

import kaldi_hmm_gmm  # noqa: F401  isort: skip - before kaldifst, which hangs in the other order

import argparse
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from beside_kaldi import compare, kaldi_has
from search import CONTEXTS, PHONES, bigram_graph, chain_model, sentence_scores

from kaldi_bridge.io.streams import open_output
from kaldi_bridge.lattices.decoder import Graph, SearchOptions, decode
from kaldi_bridge.lattices.lattice_files import LATTICE
from kaldi_bridge.tables import TableWriter

COMMANDS = {
    "words": "{0}lattice-determinize-pruned --beam=8 ark:LATS OUT",
    "words, --max-mem=500000": "{0}lattice-determinize-pruned --beam=8 --max-mem=500000 ark:LATS OUT",
    "words, --minimize": "{0}lattice-determinize-pruned --beam=8 --minimize=true ark:LATS OUT",
    "phones, words": "{0}lattice-determinize-phone-pruned --beam=8 MODEL ark:LATS OUT",
    "phones, words, --max-mem=500000": "{0}lattice-determinize-phone-pruned --beam=8 --max-mem=500000 "
    "MODEL ark:LATS OUT",
}


def same_output(command: str) -> bool:
    outputs = [
        subprocess.run(
            command.format(prefix).replace("OUT", "ark,t:-"), shell=True, check=True, stdout=-1, stderr=-3
        ).stdout
        for prefix in ("nnet-pytorch-", "")
    ]
    return outputs[0] == outputs[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--words", type=int, default=300)
    parser.add_argument("--utterances", type=int, default=2)
    arguments = parser.parse_args()
    model = chain_model(PHONES * CONTEXTS)
    fst, lexicon = bigram_graph(arguments.words, np.random.default_rng(0))
    graph = Graph(fst, model)
    options = SearchOptions(beam=13.0, max_active=3000, lattice_beam=8.0, determinize_lattice=False)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with open_output(f"{folder}/model") as stream:
            model.write(stream, False)
        for title, scale in (("good scores", 1.0), ("bad scores", 0.4)):
            random = np.random.default_rng(1)
            with TableWriter(f"ark:{folder}/lats", LATTICE) as writer:
                for i in range(arguments.utterances):
                    decoded = decode(graph, scale * sentence_scores(lexicon, 8, random), options, 1.0)
                    assert decoded is not None
                    writer.write(f"utterance{i}", decoded.lattice)
            commands = {
                key: command.replace("LATS", f"{folder}/lats").replace("MODEL", f"{folder}/model")
                for key, command in COMMANDS.items()
            }
            written = {key: command.replace("OUT", "ark:/dev/null") for key, command in commands.items()}
            compare(title, written, "lattice-determinize-pruned", megabytes=(folder / "lats").stat().st_size / 1e6)
            if kaldi_has("lattice-determinize-pruned"):
                print(f"  the same lattices: {sum(map(same_output, commands.values()))} of {len(commands)}")


if __name__ == "__main__":
    main()

"""Programs that loop over a table, and tables of three entries of which one is bad: what test_bad_entries.py runs.

    python tests/helpers/bad_entries.py FOLDER-OF-KALDIS-PROGRAMS [PROGRAM...]

runs real Kaldi's programs and writes what they did to bad_entries.json: the exit status ("crash" where an assertion
failed), the keys of each table that was written, standard output, warnings, and the last line of the log.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kaldi_bridge.fsts.fst import Fst, write_fst
from kaldi_bridge.io.streams import open_input, open_output
from kaldi_bridge.io.wave import Wave, write_wave
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import DOUBLE_MATRIX, FLOAT_MATRIX, FLOAT_VECTOR
from kaldi_bridge.transforms.cmvn import compute_stats

EXPECTED = Path(__file__).with_suffix(".json")
TIMES = re.compile("Time taken|seconds taken|taking [0-9.e-]+ seconds|Minibatch stats|orphan |^[abc]$")  # not a count
NOTHING = "nothing"
"""The fault of a table without entries."""
KEYS = ("a", "b", "c")
POSITIONS = {"first": 0, "middle": 1, "last": 2}

Faults = Mapping[str, str | Callable[[str], str]]
"""What a bad entry is, or how it is made of the good one at its place."""


# What an entry is, without its key, in text archives; waves are files.
def _rows(count: int, columns: int, shift: int) -> str:
    """A matrix of small whole numbers."""
    rows = [" ".join(str((3 * i * i + 5 * j + i * j + shift) % 7) for j in range(columns)) for i in range(count)]
    return " [\n" + "\n".join(rows) + " ]\n"


def _with(value: str) -> Callable[[str], str]:
    """The good matrix, its second row's second number replaced."""
    return lambda good: re.sub(r"(\n\S+ \S+.*\n\S+ )\S+", rf"\g<1>{value}", good, count=1)


def _narrow(good: str) -> str:
    """The good matrix without its last column."""
    return re.sub(r" \S+(?=( \])?\n)", "", good)


FEATURES = (_rows(9, 3, 0), _rows(10, 3, 1), _rows(8, 3, 2))
SCORES = (_rows(9, 6, 0), _rows(10, 6, 1), _rows(8, 6, 2))
PITCHES = tuple(" [\n" + "\n".join(f"0.{i + j} {100 + 9 * i}" for i in range(9)) + " ]\n" for j in range(3))
MATRIX_FAULTS: Faults = {
    "empty": lambda good: " [ ]\n",
    "one-frame": lambda good: " [ " + good.split("\n")[1] + " ]\n",
    "nan": _with("nan"),
    "infinite": _with("-inf"),
    "narrow": _narrow,
}
WEIGHTS = tuple(f" [ {'1 0.5 ' * (n // 2)}{'1 ' * (n % 2)}]\n" for n in (9, 10, 8))
VECTORS = (" [ 1 2 3 ]\n", " [ 0 1 3 ]\n", " [ 3 2 1 ]\n")
VECTOR_FAULTS = {"empty": " [ ]\n", "narrow": " [ 1 2 ]\n", "nan": " [ 1 nan 3 ]\n"}
ALIGNMENTS = (" 2 1 4 6 5 8 10 12 11\n", " 2 1 4 3 6 8 7 10 12 11\n", " 8 7 10 12 2 1 4 6\n")
ALIGNMENT_FAULTS: Faults = {
    "empty": "\n",
    "one-frame": " 2\n",
    "zero": lambda good: re.sub(r" 4 ", " 0 ", good),
    "beyond": lambda good: re.sub(r" 4 ", " 99 ", good),
    "truncated": lambda good: good[:-4] + "\n",
}
WORDS = (" 1 2\n", " 2 1\n", " 1\n")
WORD_FAULTS = {"empty": "\n", "zero": " 1 0 2\n", "beyond": " 1 9 2\n"}
PAIRS = (" 1 4 ; 2 5\n", " 2 4 ; 1 6\n", " 1 4 ; 1 4\n")
PAIR_FAULTS = {"empty": "\n", "one-frame": " 1 1\n", "zero": " 0 4 ; 1 4\n", "beyond": " 1 4 ; 9 4\n"}
POSTERIORS = tuple(" " + "[ 1 0.5 2 0.5 ] " * n + "\n" for n in (9, 10, 8))
POSTERIOR_FAULTS: Faults = {
    "empty": "\n",
    "one-frame": " [ 3 1 ]\n",
    "zero": lambda good: good.replace("1 0.5", "0 1", 1),
    "beyond": lambda good: good.replace("1 0.5", "99 1", 1),
    "longer": lambda good: good.replace("\n", good),
}
LATTICES = tuple(
    f" \n0 1 1 1 {cost},2.5,2_4_6\n0 1 2 2 2,{cost},8_10_12\n1 2 2 2 0.5,1,8_10_12_11\n2 0.5,0,\n\n"
    for cost in (1.5, 1, 3)
)
LATTICE_ALIGNMENTS = (" 2 4 6 8 10 12 11\n",) * 3
LATTICE_FAULTS = {
    "empty": " \n\n",
    "no-final": " \n0 1 1 1 1.5,2.5,2_4_6\n\n",
    "one-frame": " \n0 1 1 1 1.5,2.5,2\n1 0,0,\n\n",
    "infinite": " \n0 1 1 1 Infinity,Infinity,2_4_6\n1 0,0,\n\n",
    "beyond": " \n0 1 1 1 1.5,2.5,2_4_99\n1 0,0,\n\n",
}
PHONE_LATTICES = tuple(
    f" \n0 1 1 1 {cost},2.5,2_4_6\n0 1 2 2 2,{cost},8_10_12\n1 2 2 2 0.5,1,8_10_12_11\n2 0.5,0,\n\n"
    for cost in (1.5, 1, 3)
)
KEYWORD_INDICES = tuple(
    f" \n0 1 1 0 {cost},0,3\n0 1 2 0 1,0,3\n1 2 1 {i} 0.5,0,2\n2\n\n" for i, cost in enumerate((1.5, 1, 3), 1)
)
KEYWORD_INDEX_FAULTS = {"empty": " \n\n", "no-final": " \n0 1 1 0 1,0,3\n\n", "one-arc": " \n0 1 0 2 1,0,3\n1\n\n"}
KEYWORDS = (" \n0 1 1 1\n1\n\n", " \n0 1 2 2 0.5\n1\n\n", " \n0 1 1 1\n0 1 2 2 1\n1\n\n")
KEYWORD_FAULTS = {"empty": " \n\n", "no-final": " \n0 1 1 1\n\n", "beyond": " \n0 1 9 9\n1\n\n"}
GRAPH_FAULTS = {"empty": " \n\n", "one-frame": " \n0 1 2 1\n1\n\n", "beyond": " \n0 1 99 1\n1\n\n"}
TEXTS = (" one two\n", " two\n", " one\n")
TEXT_FAULTS = {"empty": "\n", "longer": " one two one two\n"}
WAVE_FAULTS = ("empty", "short", "stereo", "slow", "truncated", "no-wave", "missing")

# The program and its arguments; in is the table. Tables are written to out... with a script file beside each.
F = "ark:in"
OUT = "ark,scp:out,out.scp"
MORE = "ark,scp:more,more.scp"
CASES: dict[str, tuple[list[str], tuple[str, ...], Faults]] = {}


def _cases(good: tuple[str, ...], faults: Faults, *command_lines: str) -> None:
    for line in command_lines:
        CASES[line] = (line.replace("OUT", OUT).replace("MORE", MORE).split(), good, faults)


_cases(
    FEATURES,
    MATRIX_FAULTS,
    "add-deltas ark:in OUT",
    "add-deltas --truncate=3 ark:in OUT",
    "apply-cmvn ark:cmvn ark:in OUT",
    "apply-cmvn --norm-vars=true ark:cmvn.b ark:in OUT",
    "apply-cmvn cmvn.global ark:in OUT",
    "apply-cmvn --reverse=true --skip-dims=1 cmvn.global ark:in OUT",
    "apply-cmvn --norm-means=false cmvn.global ark:in OUT",
    "apply-cmvn-online cmvn.global ark:in OUT",
    "apply-cmvn-online --spk2utt=ark:spk2utt cmvn.global ark:in OUT",
    "compute-cmvn-stats ark:in OUT",
    "compute-cmvn-stats --spk2utt=ark:spk2utt ark:in OUT",
    "compute-cmvn-stats --weights=ark:weights ark:in OUT",
    "compute-cmvn-stats ark:in out",
    "copy-feats ark:in OUT",
    "copy-feats --compress=true ark:in OUT",
    "copy-feats --write-num-frames=MORE ark:in OUT",
    "copy-matrix ark:in OUT",
    "feat-to-post ark:in OUT",
    "copy-matrix --apply-log=true ark:in OUT",
    "copy-matrix --apply-softmax-per-row=true ark:in OUT",
    "feat-to-dim ark:in OUT",
    "feat-to-dim ark:in -",
    "feat-to-len ark:in OUT",
    "feat-to-len ark:in",
    "splice-feats ark:in OUT",
    "subsample-feats --n=2 --offset=1 ark:in OUT",
    "subsample-feats --n=-2 ark:in OUT",
    "subset-feats --n=2 ark:in OUT",
    "subset-feats --include=list ark:in OUT",
    "subset-feats --exclude=list ark:in OUT",
    "paste-feats ark:in ark:feats OUT",
    "paste-feats ark:feats ark:in OUT",
    "select-feats 2,0 ark:in OUT",
    "append-vector-to-feats ark:in ark:vectors OUT",
    "shift-feats --shift=1 ark:in OUT",
    "apply-cmvn-sliding --cmn-window=3 --min-cmn-window=2 --norm-vars=true ark:in OUT",
    "compute-cmvn-stats-two-channel sides ark:in OUT",
    "compare-feats ark:in ark:feats",
    "transform-feats square ark:in OUT",
    "transform-feats ark:squares ark:in OUT",
    "transform-feats affine ark:in OUT",
    "matrix-sum ark:in ark:feats OUT",
    "matrix-sum ark:feats ark:in OUT",
    "matrix-sum ark:in out",
    "matrix-sum-rows ark:in OUT",
    "ivector-randomize --randomize-prob=0 ark:in OUT",
    "gmm-init-mono --train-feats=ark:in topo 3 out more",
    "gmm-acc-stats-ali mono.mdl ark:in ark:ali out",
    "build-pfile-from-ali mono.mdl ark:ali ark:in out",
    "acc-tree-stats mono.mdl ark:in ark:ali out",
    "gmm-latgen-faster mono.mdl HCLG.fst ark:in OUT",
    "gmm-latgen-biglm-faster mono.mdl HCLG.fst G.fst G.fst ark:in OUT",
    "gmm-align-compiled mono.mdl ark:graphs ark:in OUT",
    "gmm-align tree mono.mdl L.fst ark:in ark:ali.words OUT",
    "gmm-decode-faster mono.mdl HCLG.fst ark:in OUT MORE",
    "align-equal-compiled ark:graphs ark:in OUT",
    "nnet3-compute --use-gpu=no nnet.raw ark:in OUT",
    "nnet3-compute-batch --use-gpu=no nnet.raw ark:in OUT",
    "nnet3-align-compiled nnet.mdl ark:graphs ark:in OUT MORE",
    "nnet3-latgen-faster nnet.mdl HCLG.fst ark:in OUT",
    "nnet3-latgen-faster nnet.mdl ark:graphs ark:in OUT",
    "nnet3-latgen-faster-parallel --num-threads=2 nnet.mdl HCLG.fst ark:in OUT",
    "nnet3-latgen-faster-batch nnet.mdl HCLG.fst ark:in OUT",
    "nnet3-chain-compute-post --use-gpu=no nnet.raw den.fst ark:in OUT",
    "nnet3-get-egs --num-pdfs=6 --num-frames=4 ark:in ark:post OUT",
    "nnet3-get-egs-dense-targets --num-targets=3 --num-frames=4 ark:in ark:feats OUT",
    "nnet3-chain-get-egs --num-frames=4 normalization.fst ark:in ark:sup OUT",
    "nnet3-discriminative-get-egs --num-frames=4 mono.mdl ark:in ark:ali.lats ark:ali OUT",
)
_cases(
    SCORES,
    MATRIX_FAULTS,
    "latgen-faster-mapped mono.mdl HCLG.fst ark:in OUT MORE",
    "decode-faster normalization.fst ark:in OUT MORE",
    "latgen-faster-mapped mono.mdl ark:graphs ark:in OUT",
)
_cases(
    PITCHES,
    MATRIX_FAULTS,
    "process-kaldi-pitch-feats --delta-pitch-noise-stddev=0 ark:in OUT",
)
_cases(VECTORS, VECTOR_FAULTS, "append-vector-to-feats ark:feats ark:in OUT")
_cases(VECTORS, VECTOR_FAULTS, "vector-sum ark:in ark:vectors OUT", "vector-sum ark:in out")
_cases(
    ALIGNMENTS,
    ALIGNMENT_FAULTS,
    "nnet3-discriminative-get-egs --num-frames=4 mono.mdl ark:feats ark:ali.lats ark:in OUT",
    "ali-to-pdf mono.mdl ark:in OUT",
    "ali-to-phones mono.mdl ark:in OUT",
    "ali-to-phones --per-frame=true mono.mdl ark:in OUT",
    "ali-to-phones --write-lengths=true mono.mdl ark:in OUT",
    "ali-to-phones --ctm-output=true mono.mdl ark:in -",
    "ali-to-post ark:in OUT",
    "analyze-counts ark:in out",
    "analyze-counts --frame-weights=ark:weights ark:in out",
    "compare-int-vector ark:in ark:ali",
    "compare-int-vector --write-tot-counts=out ark:ali ark:in",
    "convert-ali mono.mdl mono.mdl tree ark:in OUT",
    "copy-int-vector ark:in OUT",
    "nnet3-am-train-transitions nnet.mdl ark:in out",
    "gmm-acc-stats-ali mono.mdl ark:feats ark:in out",
    "build-pfile-from-ali mono.mdl ark:in ark:feats out",
    "acc-tree-stats mono.mdl ark:feats ark:in out",
)
_cases(
    WORDS,
    WORD_FAULTS,
    "compile-train-graphs tree mono.mdl L.fst ark:in OUT",
    "compile-train-graphs --batch-size=1 tree mono.mdl L.fst ark:in OUT",
    "chain-est-phone-lm --num-extra-lm-states=10 ark:in out",
)
_cases(PAIRS, PAIR_FAULTS, "chain-get-supervision tree mono.mdl ark:in OUT")
_cases(
    POSTERIORS,
    POSTERIOR_FAULTS,
    "post-to-tacc --binary=false mono.mdl ark:in out",
    "post-to-pdf-post mono.mdl ark:in OUT",
    "post-to-phone-post mono.mdl ark:in OUT",
    "post-to-feats --post-dim=20 ark:in OUT",
    "nnet3-get-egs --num-pdfs=6 --num-frames=4 ark:feats ark:in OUT",
)
_cases(
    LATTICES,
    LATTICE_FAULTS,
    "lattice-1best ark:in OUT",
    "lattice-add-penalty --word-ins-penalty=1 ark:in OUT",
    "lattice-align-phones mono.mdl ark:in OUT",
    "lattice-align-phones --output-error-lats=false mono.mdl ark:in OUT",
    "lattice-best-path ark:in OUT MORE",
    "lattice-copy ark:in OUT",
    "lattice-copy --write-compact=false ark:in OUT",
    "lattice-copy --include=list ark:in OUT",
    "lattice-copy --exclude=list ark:in OUT",
    "lattice-determinize-pruned ark:in OUT",
    "lattice-determinize-pruned-parallel --num-threads=2 ark:in OUT",
    "lattice-determinize-non-compact --acoustic-scale=0.5 --prune=true ark:in OUT",
    "lattice-prune --beam=1 ark:in OUT",
    "lattice-scale --acoustic-scale=0.5 ark:in OUT",
    "lattice-scale --write-compact=false --acoustic-scale=0.5 ark:in OUT",
    "lattice-to-nbest --n=2 ark:in OUT",
    "lattice-to-kws-index ark:utt.map ark:in OUT",
    "lattice-to-kws-index --strict=false ark:utt.map ark:in OUT",
    "lattice-to-mpe-post mono.mdl ark:lat.ali ark:in OUT",
    "lattice-to-smbr-post mono.mdl ark:lat.ali ark:in OUT",
    "chain-get-supervision --lattice-input=true tree mono.mdl ark:in OUT",
)
_cases(
    KEYWORD_INDICES,
    KEYWORD_INDEX_FAULTS,
    "kws-index-union ark:in OUT",
    "kws-index-union --skip-optimization=true ark:in OUT",
)
_cases(KEYWORDS, KEYWORD_FAULTS, "kws-search ark:index ark:in OUT", "kws-search --nbest=2 ark:index ark:in OUT MORE")
GRAPHS = ("graphs",)  # made by Inputs
_cases(
    GRAPHS,
    GRAPH_FAULTS,
    "gmm-align-compiled mono.mdl ark:in ark:feats OUT MORE",
    "nnet3-align-compiled nnet.mdl ark:in ark:feats OUT",
    "align-equal-compiled ark:in ark:feats OUT",
    "chain-make-num-fst-e2e mono.mdl normalization.fst ark:in OUT",
    "nnet3-chain-e2e-get-egs --num-frames=8,9,10 normalization.fst ark:feats ark:in mono.mdl OUT",
    "latgen-faster-mapped mono.mdl ark:in ark:scores OUT",
    "gmm-latgen-faster mono.mdl ark:in ark:feats OUT",
    "gmm-latgen-biglm-faster mono.mdl ark:in G.fst G.fst ark:feats OUT",
)
_cases(
    TEXTS,
    TEXT_FAULTS,
    "compute-wer --text --mode=present ark:in ark:texts",
    "compute-wer --text --mode=strict ark:texts ark:in",
)
WAVES = ("waves",)
_cases(
    WAVES,
    dict.fromkeys(WAVE_FAULTS, ""),
    "compute-mfcc-feats --sample-frequency=8000 --dither=0 scp:in OUT",
    "compute-mfcc-feats --sample-frequency=8000 --dither=0 --channel=1 scp:in OUT",
    "compute-mfcc-feats --sample-frequency=8000 --dither=0 --min-duration=0.2 scp:in OUT",
    "compute-fbank-feats --sample-frequency=8000 --dither=0 --subtract-mean=true --write-utt2dur=MORE scp:in OUT",
    "compute-plp-feats --sample-frequency=8000 --dither=0 --vtln-map=ark:warps --vtln-low=60 scp:in OUT",
    "compute-kaldi-pitch-feats --sample-frequency=8000 scp:in OUT",
    "compute-and-process-kaldi-pitch-feats --sample-frequency=8000 scp,p:in OUT",
    "extend-wav-with-silence --silence-search-length=0.1 --extra-silence-length=0.1 scp:in OUT",
    "wav-copy scp:in OUT",
    "wav-copy scp,p:in OUT",
    "wav-to-duration scp:in OUT",
    "wav-to-duration --read-entire-file=true scp:in OUT",
    "extract-segments scp:in segments OUT",
    "extract-segments scp,p:in segments OUT",
)

EGS, CHAIN_EGS = ("egs",), ("chain.egs",)  # made by Inputs
_cases(
    EGS,
    {},
    "nnet3-copy-egs ark:in OUT",
    "nnet3-merge-egs ark:in OUT",
    "nnet3-shuffle-egs ark:in OUT",
    "nnet3-subset-egs --n=2 ark:in OUT",
    "nnet3-compute-prob nnet.raw ark:in",
    "nnet3-acc-lda-stats nnet.raw ark:in out",
    "nnet3-compute-from-egs --use-gpu=no nnet.raw ark:in OUT",
)
_cases(
    CHAIN_EGS,
    {},
    "nnet3-chain-copy-egs ark:in OUT",
    "nnet3-chain-merge-egs ark:in OUT",
    "nnet3-chain-shuffle-egs ark:in OUT",
    "nnet3-chain-subset-egs --n=2 ark:in OUT",
    "nnet3-chain-normalize-egs normalization.fst ark:in OUT",
    "nnet3-chain-compute-prob nnet.raw den.fst ark:in",
)

TOPOLOGY = """<Topology>
<TopologyEntry>
<ForPhones> 1 2 </ForPhones>
<State> 0 <PdfClass> 0 <Transition> 0 0.5 <Transition> 1 0.5 </State>
<State> 1 <PdfClass> 1 <Transition> 1 0.5 <Transition> 2 0.5 </State>
<State> 2 <PdfClass> 2 <Transition> 2 0.5 <Transition> 3 0.5 </State>
<State> 3 </State>
</TopologyEntry>
</Topology>
"""
NETWORK = """input-node name=input dim=3
component name=affine type=NaturalGradientAffineComponent input-dim=3 output-dim=6 param-stddev=0.1 bias-stddev=0
component-node name=affine component=affine input=input
output-node name=output input=affine
"""


class Inputs:
    """What the programs read beside the table with the bad entry, made by our own programs in ``folder``."""

    def __init__(self, folder: Path, run: Callable[[str], None]) -> None:
        """``run``: runs a command line of ours in the folder."""
        self.folder = folder
        write = self._write
        write("topo", TOPOLOGY)
        write("nnet.config", NETWORK)
        for name, entries in {
            "feats": FEATURES, "scores": SCORES, "vectors": VECTORS, "ali.words": WORDS, "post": POSTERIORS,
            "texts": TEXTS, "pairs": PAIRS, "ali": ALIGNMENTS, "weights": WEIGHTS, "lat.ali": LATTICE_ALIGNMENTS,
            "ali.lats": [_lattice_of(alignment) for alignment in ALIGNMENTS],
        }.items():  # fmt: skip
            write(name, _table(entries))
        write("utt.map", "a 1\nb 2\nc 3\n")
        write("index", "global" + KEYWORD_INDICES[0])
        write("spk2utt", "s a b c d\n")
        write("list", "a\nc\n")
        write("warps", "a 0.9\nc 1.1\n")
        write("sides", "a call A\nb call B\nc other A\n")
        write("segments", "".join(f"{key}-{i} {key} {i / 10} {i / 10 + 0.15}\n" for key in "abcd" for i in (0, 1)))
        write("square", " [ 1 0 1\n 0 2 0\n 1 0 3 ]\n")
        write("affine", " [ 1 0 1 1\n 0 2 0 1 ]\n")
        write("squares", "a [ 1 0 1\n 0 2 0\n 1 0 3 ]\nc [ 1 0 0\n 0 1 0\n 0 0 1 ]\n")
        with SequentialReader(f"ark:{folder}/feats", FLOAT_MATRIX) as reader:
            feats = dict(reader)
        with TableWriter(f"ark:{folder}/cmvn", DOUBLE_MATRIX) as writer:
            for key, matrix in feats.items():
                writer.write(key, compute_stats(matrix))
        with TableWriter(f"ark:{folder}/cmvn.b", DOUBLE_MATRIX) as writer:
            writer.write("b", compute_stats(feats["b"]))
        with open_output(f"{folder}/cmvn.global") as stream:
            DOUBLE_MATRIX.write(stream, True, sum(compute_stats(matrix) for matrix in feats.values()))
        write_fst(f"{folder}/L.fst", Fst.from_arcs(0, {0: 0.0}, [(0, p, p, 0.5, 0) for p in (1, 2)]))
        pdfs = Fst.from_arcs(0, {0: 0.5}, [(0, pdf + 1, pdf + 1, 1 + pdf / 8, 0) for pdf in range(6)])
        write_fst(f"{folder}/normalization.fst", pdfs)
        write_fst(f"{folder}/den.fst", pdfs)
        run("gmm-init-mono --train-feats=ark:feats topo 3 mono.mdl tree")
        compile_graphs = (
            "compile-train-graphs --transition-scale=1 --self-loop-scale=0.1 tree mono.mdl L.fst ark:ali.words"
        )
        run(f"{compile_graphs} ark,t:graphs")
        text = (folder / "graphs").read_text()
        self.graphs = tuple(re.split(r"^[abc](?= )", text, flags=re.M)[1:])
        run(f"{compile_graphs} ark:b.graphs")
        with open_input(f"{folder}/b.graphs:2") as stream, open_output(f"{folder}/HCLG.fst") as out:
            Fst.read(stream).write(out, "vector")
        words = Fst.from_arcs(0, {0: 0.5}, [(0, word, word, word / 2, 0) for word in (1, 2)])
        write_fst(f"{folder}/G.fst", words)
        run("nnet3-init nnet.config nnet.raw")
        run("nnet3-am-init tree topo nnet.raw nnet.mdl")
        run("chain-get-supervision tree mono.mdl ark:pairs ark:sup")
        run("nnet3-get-egs --num-pdfs=6 --num-frames=8 ark:feats ark:post ark:egs")
        run("nnet3-chain-get-egs --num-frames=8 ark:feats ark:sup ark:chain.egs")
        self._write_waves()

    def _write_waves(self) -> None:
        noise = 1000 * np.random.default_rng(0).normal(size=(2, 2400)).astype(np.float32)
        for name, wave in {
            "a": Wave(8000.0, noise[:1]),
            "b": Wave(8000.0, noise[1:]),
            "c": Wave(8000.0, noise[:1] / 2),
            "short": Wave(8000.0, noise[:1, :50]),
            "stereo": Wave(8000.0, noise),
            "slow": Wave(4000.0, noise[:1]),
        }.items():
            with open_output(str(self.folder / f"{name}.wav")) as stream:
                write_wave(stream, wave)
        data = (self.folder / "a.wav").read_bytes()
        (self.folder / "empty.wav").write_bytes(data[:40] + bytes(4))
        (self.folder / "truncated.wav").write_bytes(data[:1001])
        (self.folder / "no-wave.wav").write_bytes(b"no wave")

    def put(self, case: str, fault: str, position: str) -> None:
        """Writes the table ``in``."""
        _, good, faults = CASES[case]
        if fault == NOTHING:
            self._write("in", "")
            return
        if good in (EGS, CHAIN_EGS):
            (self.folder / "in").write_bytes((self.folder / good[0]).read_bytes())
            return
        if good is WAVES:
            names: list[str] = list(KEYS)
            if fault:
                names[POSITIONS[position]] = fault
            self._write("in", "".join(f"{key} {name}.wav\n" for key, name in zip(KEYS, names, strict=True)))
            return
        entries = list(self.graphs if good is GRAPHS else good)
        if fault:
            made = faults[fault]
            entries[POSITIONS[position]] = made(entries[POSITIONS[position]]) if callable(made) else made
        holder: Any = {FEATURES: FLOAT_MATRIX, PITCHES: FLOAT_MATRIX, SCORES: FLOAT_MATRIX, VECTORS: FLOAT_VECTOR}.get(
            good
        )
        if holder is None:
            self._write("in", _table(entries))
            return
        with TableWriter(f"ark:{self.folder}/in", holder) as writer:  # binary: text would be warned of when read
            for key, entry in zip(KEYS, entries, strict=True):
                rows = [
                    [float(word) for word in row.split()] for row in entry.strip(" []\n").split("\n") if row.strip()
                ]
                matrix = np.array(rows, np.float32).reshape(len(rows), -1) if rows else np.zeros((0, 0), np.float32)
                writer.write(key, matrix if holder is FLOAT_MATRIX else matrix.ravel())

    def _write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)


def _lattice_of(alignment: str) -> str:
    ids = alignment.split()
    return " \n" + "".join(f"{i} {i + 1} {tid} 0 0.5,2\n" for i, tid in enumerate(ids)) + f"{len(ids)}\n\n"


def _table(entries: Any) -> str:
    return "".join(key + entry for key, entry in zip(KEYS, entries, strict=True))


def outcome(folder: Path, status: int, stdout: str, stderr: str) -> dict[str, Any]:
    """What a program did. An error tells its status alone: Kaldi's programs leave behind what they had written."""
    if status not in (0, 1):
        return {"status": "crash" if status < 0 else status}
    written = {}
    for name in ("out", "more"):
        script = folder / f"{name}.scp"
        if script.exists():
            written[name] = [line.split()[0] for line in script.read_text().splitlines()]
        elif (folder / name).exists():
            written[name] = []
    said = re.findall(r"^(LOG|WARNING) \([^\[]*\[[^\]]*\]:.*?:\d+\) (.*)$", stderr, re.M)
    logged = [text for severity, text in said if severity == "LOG" and not TIMES.search(text)]
    return {
        "status": status,
        "written": written,
        "stdout": stdout,
        "warnings": [text for severity, text in said if severity == "WARNING"],
        "log": logged[-1] if logged else "",
    }


def clear(folder: Path) -> None:
    """Forgets what the program before wrote."""
    for name in ("out", "more", "out.scp", "more.scp"):
        (folder / name).unlink(missing_ok=True)


def names() -> Iterator[tuple[str, str, str]]:
    """(case, fault, position); "" as the fault for three good entries."""
    for case, (_, _, faults) in CASES.items():
        yield case, "", "first"
        yield case, NOTHING, "first"
        for fault in faults:
            for position in POSITIONS:
                yield case, fault, position


def record(programs: Path, only: list[str]) -> None:
    """Runs Kaldi's programs: all, or ``only`` these, and what is known of others is kept."""
    known = json.loads(EXPECTED.read_text()) if only else {}
    expected: dict[str, dict[str, Any]] = {case: known[case] for case in CASES if case.split()[0] not in only and only}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def run(line: str) -> None:
            program, *arguments = line.split()
            ours = "nnet-pytorch-" + program.removeprefix("nnet3-")
            subprocess.run(
                [Path(sys.executable).with_name(ours), *arguments], cwd=folder, check=True, capture_output=True
            )

        inputs = Inputs(folder, run)
        for case, fault, position in names():
            program, *arguments = CASES[case][0]
            if only and program not in only:
                continue
            if not (programs / program).exists():
                print("no", program, file=sys.stderr)
                continue
            clear(folder)
            inputs.put(case, fault, position)
            done = subprocess.run([programs / program, *arguments], cwd=folder, capture_output=True)
            result = outcome(folder, done.returncode, done.stdout.decode(), done.stderr.decode(errors="replace"))
            expected.setdefault(case, {}).setdefault(fault, {})[position] = result
    EXPECTED.write_text(json.dumps(expected, indent=0) + "\n")


if __name__ == "__main__":
    record(Path(sys.argv[1]), sys.argv[2:])

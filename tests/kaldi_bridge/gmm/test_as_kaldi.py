"""Programs of GMM systems beside Kaldi's, on made-up inputs: folder ``kaldis``, whose make.sh says what made them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kaldi_bridge.command import run
from kaldi_bridge.fsts.fst import FST, read_fst
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.fmpe import Fmpe, FmpeStatistics
from kaldi_bridge.gmm.full_model import read_full_mixture
from kaldi_bridge.gmm.global_statistics import read_statistics
from kaldi_bridge.gmm.mixture_files import read_mixture
from kaldi_bridge.gmm.model import MIXTURES
from kaldi_bridge.gmm.statistics import Statistics, sum_files
from kaldi_bridge.hmm.posterior import to_matrix
from kaldi_bridge.io.matrix_files import read_vector_file
from kaldi_bridge.io.sums import sum_of_files
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import (
    FLOAT,
    FLOAT_MATRIX,
    FLOAT_VECTOR,
    GAUSS_POSTERIOR,
    GENERAL_MATRIX,
    INT32_PAIR_VECTOR,
    INT32_VECTOR,
    INT32_VECTOR_VECTOR,
    SPARSE_POSTERIOR,
    Holder,
)
from kaldi_bridge.tables.posterior import SparsePosterior
from kaldi_bridge.transforms.basis_fmllr import Basis
from kaldi_bridge.transforms.basis_fmllr import read_sum as read_scatter
from kaldi_bridge.transforms.lda_statistics import read_sum as read_lda
from kaldi_bridge.transforms.linear import read_transform
from kaldi_bridge.transforms.lvtln import LinearVtln
from kaldi_bridge.transforms.mllt import read_sum as read_mllt
from tests.helpers.twins import twin

KALDIS = Path(__file__).parent / "kaldis"
SPEAKERS_OF_BASIS = 4  # as many eigenvalues are not 0: utterances with more frames than one
Arrays = dict[str, np.ndarray]


def table(holder: Holder[Any], arrays: Callable[[Any], Arrays]) -> Callable[[str], Arrays]:
    """Reads a table into arrays: those of each object by its key."""

    def read(name: str) -> Arrays:
        with SequentialReader(f"ark:{name}", holder) as reader:
            return {f"{key} {part}": array for key, value in reader for part, array in arrays(value).items()}

    return read


def lattice_arrays(lattice: Any) -> Arrays:
    costs = {name: lattice.arcs[name] for name in ("graph", "acoustic")}
    labels = {name: lattice.arcs[name] for name in ("label", "nextstate")}
    return {**costs, **labels, "finals": np.nan_to_num(lattice.finals), "strings": lattice.strings}


def graph_arrays(graph: Any) -> Arrays:
    return {
        **{name: graph.arcs[name] for name in ("ilabel", "olabel", "nextstate", "weight")},
        "offsets": graph.offsets,
        "finals": np.nan_to_num(graph.finals),
    }


def gaussian_arrays(posterior: Any) -> Arrays:
    """Kaldi's order of the pdfs in a frame is that of a hash table: they are sorted here."""
    pairs = [(t, pdf, own) for t, frame in enumerate(posterior) for pdf, own in sorted(frame, key=lambda pair: pair[0])]
    indexes = np.array([(t, pdf, len(own)) for t, pdf, own in pairs])
    return {"indexes": indexes, "values": np.concatenate([own for _, _, own in pairs])}


def sorted_arrays(posterior: SparsePosterior) -> Arrays:
    """Where Kaldi's order of the pairs in a frame is that of a hash table."""
    order = np.lexsort((posterior.indexes, posterior.frames))
    return {"counts": posterior.counts, "indexes": posterior.indexes[order], "weights": posterior.weights[order]}


def statistics(name: str) -> Arrays:
    read = sum_files([name])
    sums = {part: getattr(read, part) for part in ("transitions", "occupancy", "sums", "squares", "offsets")}
    return {**sums, "totals": np.array([read.log_likelihood, read.frames]), "flags": np.array([read.flags])}


def model(name: str) -> Arrays:
    read = AcousticModel.read(name)
    return {"log_probs": read.transitions.log_probs, **mixture_arrays(read.mixtures)}


def mixture_arrays(mixtures: Any) -> Arrays:
    parts = ("offsets", "weights", "scaled_means", "inverse_variances", "constants")
    return {part: getattr(mixtures, part) for part in parts}


def scatter(name: str) -> Arrays:
    read = read_scatter([name], 5)
    return {"count": np.array([read.count]), "scatter": read.scatter}


def basis(name: str) -> Arrays:
    """Eigenvectors, which have arbitrary signs; those of eigenvalue 0 are any of their space."""
    matrices = Basis.read(name).matrices[:SPEAKERS_OF_BASIS].astype(np.float64)
    return {"projections": np.einsum("nij,nkl->nijkl", matrices, matrices)}


def lvtln(name: str) -> Arrays:
    read = LinearVtln.read(name)
    return {
        **{part: getattr(read, part) for part in ("matrices", "log_determinants", "warps")},
        "default": np.array([read.default]),
    }


def global_statistics(name: str) -> Arrays:
    read = read_statistics(name)
    return {part: getattr(read, part) for part in ("occupancy", "sums", "squares")} | {"flags": np.array([read.flags])}


def derivative(name: str) -> Arrays:
    read = sum_of_files(Statistics.read_mixtures, [name])
    return {part: getattr(read, part) for part in ("offsets", "occupancy", "sums", "squares")}


def full_mixture(name: str) -> Arrays:
    read = read_full_mixture(name)
    return {part: getattr(read, part) for part in ("weights", "scaled_means", "precisions", "constants")}


def fmpe(name: str) -> Arrays:
    read = Fmpe.read(name)
    return {"projection": read.projection, "factor": read.factor, **mixture_arrays(read.mixture)}


def fmpe_statistics(name: str) -> Arrays:
    read = sum_of_files(FmpeStatistics.read, [name])
    return {part: getattr(read, part) for part in ("plus", "minus", "checks")}


def sparse_arrays(matrix: Any) -> Arrays:
    return {"offsets": matrix.offsets, "indexes": matrix.indexes, "values": matrix.values, "dim": np.array(matrix.dim)}


READERS: dict[str, Callable[[str], Arrays]] = {
    "post": table(SPARSE_POSTERIOR, lambda p: {"offsets": p.offsets, "indexes": p.indexes, "weights": p.weights}),
    "sorted post": table(SPARSE_POSTERIOR, sorted_arrays),
    "dense post": table(SPARSE_POSTERIOR, lambda p: {"": to_matrix(p, 13)}),  # what is 0 is 1e-17 in another order
    "vector": lambda name: {"vector": read_vector_file(name)},
    "bytes": lambda name: {"bytes": np.frombuffer(Path(name).read_bytes(), np.uint8)},
    "gpost": table(GAUSS_POSTERIOR, gaussian_arrays),
    "matrices": table(FLOAT_MATRIX, lambda matrix: {"": matrix}),
    "vectors": table(FLOAT_VECTOR, lambda vector: {"": vector}),
    "floats": table(FLOAT, lambda number: {"": np.array([number])}),
    "selection": table(INT32_VECTOR_VECTOR, lambda lists: {"": np.array(lists)}),
    "graphs": table(FST, graph_arrays),
    "graph": lambda name: graph_arrays(read_fst(name)),
    "alignments": table(INT32_VECTOR, lambda integers: {"": integers}),
    "lattices": table(COMPACT_LATTICE, lattice_arrays),
    "matrix": lambda name: {"matrix": read_transform(name)},
    "lda": lambda name: {part: getattr(read_lda([name]), part) for part in ("counts", "sums", "products")},
    "mllt": lambda name: {"count": np.array([read_mllt([name]).count]), "scatter": read_mllt([name]).scatter},
    "statistics": statistics,
    "mixtures": table(MIXTURES, mixture_arrays),
    "scatter": scatter,
    "mixture": lambda name: mixture_arrays(read_mixture(name)),
    "global statistics": global_statistics,
    "derivative": derivative,
    "full mixture": full_mixture,
    "fmpe": fmpe,
    "fmpe statistics": fmpe_statistics,
    "sparse matrices": table(GENERAL_MATRIX, sparse_arrays),
    "pairs": table(INT32_PAIR_VECTOR, lambda pairs: {"": np.array(pairs)}),
    "basis": basis,
    "lvtln": lvtln,
    "model": model,
}

DISAMBIG = "--read-disambig-syms=disambig.int"
MAPPED = "--beam=8 --retry-beam=20 --acoustic-scale=0.2 --transition-scale=0.5 model.mdl ark:graphs.fsts ark:likes.ark"
ALIGN = "--careful=true --transition-scale=0.5 --acoustic-scale=0.2 --beam=8 --retry-beam=20"
FASTER = "--acoustic-scale=0.5 model.mdl HCLG.fst ark:feats.ark"
BIGLM = "--acoustic-scale=0.5 --beam=12 --lattice-beam=1 model.mdl HCLG.fst old-lm.fst new-lm.fst ark:feats.ark"
LABELS = "--beam=5 --max-active=3 --min-active=2 --acoustic-scale=0.05 labels.fst ark:likes.ark"
EBW = ("gmm-est-gaussians-ebw", "gmm-est-weights-ebw")
LATTICES = "model.mdl ark:ali.ark ark:lat.ark"
ALIGNMENTS = "ark:ali.ark ark:decoded.ark"
NARROW = "--beam=1 --acoustic-scale=0.5 model.mdl HCLG.fst ark:feats.ark"
RAW = "--raw-feat-dim=5 model.mdl raw-full.mat ark:spliced.ark"
OF_UBM = "ubm.gmm 2.lvtln ark:feats.ark ark:ubm.post"
FMPE = "model.mdl initial.fmpe ark:feats.ark ark:selected.ark ark:difference.post"
TREE = "tree.acc roots.int questions.qst topo"
# (kind of output, program, arguments with {} for the output, what Kaldi wrote, file of Kaldi's messages or "")
CASES = [
    ("post", "weight-silence-post", "0.25 1:3 model.mdl ark:post.ark ark:{}", "weighted.post", "weight-silence-post"),
    ("post", "weight-silence-post", "0.0 1 model.mdl ark:post.ark ark:{}", "weighted0.post", ""),
    ("post", "weight-silence-post", "--distribute=true 0.0 1 model.mdl ark:post.ark ark:{}", "distributed.post", ""),
    ("lda", "acc-lda", "--rand-prune=4.0 model.mdl ark:feats.ark ark:ali.post {}", "lda.acc", "acc-lda"),
    ("matrix", "est-lda", "--dim=3 {} lda.acc", "lda.mat", ""),
    ("matrix", "est-lda", "--dim=3 --write-full-matrix={} /dev/null lda.acc", "full.mat", ""),
    (
        "matrix",
        "est-lda",
        "--dim=3 --remove-offset=true --within-class-factor=0.5 {} lda.acc",
        "lda-offset.mat",
        "",
    ),
    ("mllt", "gmm-acc-mllt", "--rand-prune=1.5 model.mdl ark:feats.ark ark:ali.post {}", "mllt.acc", "gmm-acc-mllt"),
    ("matrix", "est-mllt", "{} mllt.acc", "mllt.mat", "est-mllt"),
    ("model", "gmm-transform-means", "mllt.mat model.mdl {}", "transformed.mdl", ""),
    ("matrix", "compose-transforms", "mllt.mat full.mat {}", "composed.mat", ""),
    (
        "matrices",
        "compose-transforms",
        "--b-is-affine=true ark:fmllr.ark ark:fmllr-gpost.ark ark:{}",
        "composed.ark",
        "",
    ),
    ("gpost", "gmm-post-to-gpost", "alignment.mdl ark:feats.ark ark:post.ark ark:{}", "gpost.ark", "gmm-post-to-gpost"),
    (
        "matrices",
        "gmm-est-fmllr",
        "--fmllr-min-count=150 --spk2utt=ark:spk2utt model.mdl ark:feats.ark ark:post.ark ark:{}",
        "fmllr.ark",
        "gmm-est-fmllr",
    ),
    *(
        (
            "matrices",
            "gmm-est-fmllr",
            f"--fmllr-update-type={kind} --fmllr-min-count=125 model.mdl ark:feats.ark ark:post.ark ark:{{}}",
            f"fmllr-{kind}.ark",
            f"gmm-est-fmllr-{kind}",
        )
        for kind in ("diag", "offset", "none")
    ),
    (
        "matrices",
        "gmm-est-fmllr-gpost",
        "--fmllr-min-count=150 --spk2utt=ark:spk2utt model.mdl ark:feats.ark ark:gpost.ark ark:{}",
        "fmllr-gpost.ark",
        "gmm-est-fmllr-gpost",
    ),
    ("statistics", "gmm-acc-stats", "model.mdl ark:feats.ark ark:post.ark {}", "stats.acc", "gmm-acc-stats"),
    ("statistics", "gmm-acc-stats", "--update-flags=m model.mdl ark:feats.ark ark:post.ark {}", "stats-m.acc", ""),
    (
        "statistics",
        "gmm-acc-stats2",
        "model.mdl ark:feats.ark ark:difference.post {} /dev/null",
        "positive.acc",
        "gmm-acc-stats2",
    ),
    (
        "statistics",
        "gmm-acc-stats2",
        "model.mdl ark:feats.ark ark:difference.post /dev/null {}",
        "negative.acc",
        "gmm-acc-stats2",
    ),
    (
        "statistics",
        "gmm-acc-stats-twofeats",
        "model.mdl ark:feats.ark ark:feats2.ark ark:post.ark {}",
        "twofeats.acc",
        "gmm-acc-stats-twofeats",
    ),
    ("post", "scale-post", "ark:post.ark -1 ark:{}", "negative.post", ""),
    ("post", "sum-post", "--zero-if-disjoint=false ark:negative.post ark:ali.post ark:{}", "difference.post", ""),
    (
        "post",
        "sum-post",
        "--scale1=0.5 --scale2=-1 --merge=false --drop-frames=true ark:post.ark ark:ali.post ark:{}",
        "disjoint.post",
        "sum-post",
    ),
    ("vectors", "post-to-weights", "ark:weighted.post ark:{}", "weights.ark", ""),
    ("post", "weight-post", "ark:post.ark ark:weights.ark ark:{}", "by-frame.post", ""),
    ("vectors", "get-post-on-ali", "ark:post.ark ark:ali.ark ark:{}", "confidences.ark", ""),
    ("vectors", "transform-vec", "lda-offset.mat ark:vectors.ark ark:{}", "transformed.vectors", ""),
    ("selection", "gmm-gselect", "--n=4 ubm.gmm ark:feats.ark ark:{}", "selected.ark", ""),
    ("floats", "gmm-gselect", "--n=4 --write-likes=ark:{} ubm.gmm ark:feats.ark ark:/dev/null", "selected.likes", ""),
    (
        "selection",
        "gmm-gselect",
        "--n=2 --gselect=ark:candidates.ark ubm.gmm ark:feats.ark ark:{}",
        "reselected.ark",
        "",
    ),
    (
        "lattices",
        "gmm-rescore-lattice",
        "--old-acoustic-scale=0.5 model.mdl ark:lat.ark ark:feats.ark ark:{}",
        "rescored.lat",
        "gmm-rescore-lattice",
    ),
    ("model", "gmm-init-model", "wide.tree tree.acc topo {}", "initial.mdl", ""),
    ("model", "gmm-init-model", "wide.tree tree.acc topo {} tree est.mdl", "from-old.mdl", ""),
    ("model", "gmm-copy", "--binary=false model.mdl {}", "model.txt", ""),
    ("matrices", "gmm-compute-likes", "model.mdl ark:feats.ark ark:{}", "likes.ark", ""),
    ("statistics", "gmm-ismooth-stats", "--tau=50 stats.acc positive.acc {}", "smoothed.acc", ""),
    (
        "statistics",
        "gmm-ismooth-stats",
        "--smooth-from-model=true model.mdl positive.acc {}",
        "smoothed-model.acc",
        "",
    ),
    (
        "mixtures",
        "gmm-adapt-map",
        "--update-flags=mvw --spk2utt=ark:spk2utt model.mdl ark:feats.ark ark:post.ark ark:{}",
        "map.ams",
        "gmm-adapt-map",
    ),
    ("scatter", "gmm-basis-fmllr-accs", "model.mdl ark:feats.ark ark:post.ark {}", "basis.acc", "gmm-basis-fmllr-accs"),
    (
        "scatter",
        "gmm-basis-fmllr-accs-gpost",
        "--spk2utt=ark:spk2utt model.mdl ark:feats.ark ark:gpost.ark {}",
        "basis-gpost.acc",
        "",
    ),
    ("basis", "gmm-basis-fmllr-training", "model.mdl {} basis.acc", "basis", ""),
    (
        "matrices",
        "gmm-est-basis-fmllr",
        "--spk2utt=ark:spk2utt model.mdl basis ark:feats.ark ark:post.ark ark:{}",
        "basis-fmllr.ark",
        "gmm-est-basis-fmllr",
    ),
    (
        "vectors",
        "gmm-est-basis-fmllr",
        "--write-weights=ark:{} --spk2utt=ark:spk2utt model.mdl basis ark:feats.ark ark:post.ark ark:/dev/null",
        "basis.weights",
        "",
    ),
    (
        "matrices",
        "gmm-est-basis-fmllr-gpost",
        "--num-iters=3 --size-scale=0.1 model.mdl basis ark:feats.ark ark:gpost.ark ark:{}",
        "basis-fmllr-gpost.ark",
        "",
    ),
    ("lvtln", "gmm-init-lvtln", "--dim=5 --num-classes=3 --default-class=1 {}", "unit.lvtln", ""),
    (
        "lvtln",
        "gmm-train-lvtln-special",
        "--warp=0.9 --normalize-var=true 0 unit.lvtln {} ark:feats.ark ark:warped.ark ark:post.ark",
        "0.lvtln",
        "",
    ),
    (
        "lvtln",
        "gmm-train-lvtln-special",
        "--normalize-covar=true 2 0.lvtln {} ark:feats.ark ark:warped.ark",
        "2.lvtln",
        "",
    ),
    (
        "matrices",
        "gmm-est-lvtln-trans",
        "--logdet-scale=0.5 --spk2utt=ark:spk2utt model.mdl 2.lvtln ark:feats.ark ark:gpost.ark ark:{}",
        "lvtln.ark",
        "gmm-est-lvtln-trans",
    ),
    (
        "floats",
        "gmm-est-lvtln-trans",
        "--logdet-scale=0.5 --spk2utt=ark:spk2utt model.mdl 2.lvtln ark:feats.ark ark:gpost.ark ark:/dev/null ark:{}",
        "lvtln.warps",
        "",
    ),
    (
        "matrices",
        "gmm-est-lvtln-trans",
        "--norm-type=diag model.mdl 2.lvtln ark:feats.ark ark:gpost.ark ark:{}",
        "lvtln-diag.ark",
        "",
    ),
    ("graph", "compile-graph", f"{DISAMBIG} tree model.mdl L.fst loop.fst {{}}", "HCLG.fst", ""),
    (
        "graphs",
        "compile-train-graphs",
        f"{DISAMBIG} tree model.mdl L.fst ark:words.int ark:{{}}",
        "graphs.fsts",
        "",
    ),
    (
        "graphs",
        "compile-train-graphs",
        f"{DISAMBIG} --rm-eps=true --reorder=false --transition-scale=1 --self-loop-scale=0.5 --batch-size=1 tree "
        "model.mdl L.fst ark:words.int ark:{}",
        "unordered.fsts",
        "",
    ),
    (
        "graphs",
        "compile-train-graphs-without-lexicon",
        f"{DISAMBIG} tree model.mdl ark:pronounced.int ark:pronunciations.int ark:{{}}",
        "pronounced.fsts",
        "",
    ),
    (
        "graphs",
        "compile-train-graphs-fsts",
        f"{DISAMBIG} tree model.mdl L.fst ark:grammars.txt ark:{{}}",
        "grammars.fsts",
        "",
    ),
    (
        "graphs",
        "compile-train-graphs-fsts",
        f"{DISAMBIG} wide.tree initial.mdl L.fst ark:grammars.txt ark:{{}}",
        "grammars-wide.fsts",
        "",
    ),
    (
        "graphs",
        "compile-train-graphs-fsts",
        f"{DISAMBIG} --rm-eps=true --transition-scale=1 --self-loop-scale=0.1 --batch-size=1 tree model.mdl L.fst "
        "ark:grammars.txt ark:{}",
        "scaled.fsts",
        "",
    ),
    (
        "alignments",
        "align-compiled-mapped",
        f"{MAPPED} ark:{{}}",
        "mapped.ark",
        "align-compiled-mapped",
    ),
    (
        "floats",
        "align-compiled-mapped",
        f"{MAPPED} ark:/dev/null ark:{{}}",
        "mapped.scores",
        "",
    ),
    (
        "alignments",
        "gmm-align-compiled",
        f"{ALIGN} model.mdl ark:graphs.fsts ark:feats.ark ark:{{}}",
        "aligned.ark",
        "gmm-align-compiled",
    ),
    (
        "floats",
        "gmm-align-compiled",
        f"{ALIGN} model.mdl ark:graphs.fsts ark:feats.ark ark:/dev/null ark:{{}}",
        "aligned.scores",
        "",
    ),
    (
        "vectors",
        "gmm-align-compiled",
        f"{ALIGN} --write-per-frame-acoustic-loglikes=ark:{{}} model.mdl ark:graphs.fsts ark:feats.ark ark:/dev/null",
        "by-frame.likes",
        "",
    ),
    (
        "alignments",
        "gmm-align",
        f"{DISAMBIG} --beam=200 tree model.mdl L.fst ark:feats.ark ark:words.int ark:{{}}",
        "aligned-from-words.ark",
        "gmm-align",
    ),
    ("alignments", "gmm-decode-faster", f"{FASTER} ark:{{}}", "decoded.words", "gmm-decode-faster"),
    ("alignments", "gmm-decode-faster", f"{FASTER} ark:/dev/null ark:{{}}", "decoded.ark", ""),
    ("lattices", "gmm-decode-faster", f"{FASTER} ark:/dev/null ark:/dev/null ark:{{}}", "decoded.lat", ""),
    (
        "alignments",
        "gmm-decode-simple",
        "--beam=30 model.mdl HCLG.fst ark:feats.ark ark:/dev/null ark:{}",
        "decoded-simple.ark",
        "",
    ),
    (
        "alignments",
        "gmm-latgen-simple",
        "--beam=8 --lattice-beam=4 model.mdl HCLG.fst ark:feats.ark ark:/dev/null ark:{}",
        "latgen-simple.words",
        "gmm-latgen-simple",
    ),
    (
        "alignments",
        "gmm-latgen-faster-parallel",
        "--num-threads=2 --beam=8 --lattice-beam=4 model.mdl HCLG.fst ark:feats.ark ark:/dev/null ark:{}",
        "latgen-simple.words",
        "gmm-latgen-simple",
    ),
    (
        "alignments",
        "gmm-latgen-map",
        "--utt2spk=ark:utt2spk model.mdl ark:map.ams HCLG.fst ark:feats.ark ark:/dev/null ark:{}",
        "latgen-map.words",
        "gmm-latgen-map",
    ),
    ("alignments", "decode-faster", f"{LABELS} ark:{{}}", "labels.words", ""),
    ("alignments", "decode-faster", f"{LABELS} ark:/dev/null ark:{{}}", "labels.ali", ""),
    ("lattices", "gmm-latgen-biglm-faster", f"{BIGLM} ark:{{}}", "biglm.lat", "gmm-latgen-biglm-faster"),
    ("alignments", "gmm-latgen-biglm-faster", f"{BIGLM} ark:/dev/null ark:{{}}", "biglm.words", ""),
    (
        "alignments",
        "gmm-latgen-biglm-faster",
        "--acoustic-scale=0.5 --beam=12 model.mdl ark:graphs.fsts old-lm.fst new-lm.fst ark:feats.ark ark:/dev/null "
        "ark:/dev/null ark:{}",
        "biglm.ali",
        "",
    ),
    ("model", "gmm-est-gaussians-ebw", "--tau=5 model.mdl positive.acc negative.acc {}", "ebw.mdl", EBW[0]),
    (
        "model",
        "gmm-est-gaussians-ebw",
        "--E=1.5 --update-flags=m model.mdl stats.acc negative.acc {}",
        "ebw-means.mdl",
        "",
    ),
    ("model", "gmm-est-weights-ebw", "model.mdl stats.acc negative.acc {}", "ebw-weights.mdl", EBW[1]),
    (
        "model",
        "gmm-est-weights-ebw",
        "--weight-tau=10 --min-gaussian-weight=0.05 model.mdl positive.acc negative.acc {}",
        "ebw-tau.mdl",
        "",
    ),
    (
        "dense post",
        "lattice-to-mpe-post",
        f"--acoustic-scale=0.1 --silence-phones=1 {LATTICES} ark:{{}}",
        "mpe.post",
        "lattice-to-mpe-post",
    ),
    (
        "dense post",
        "lattice-to-mpe-post",
        f"--acoustic-scale=0.1 --one-silence-class=true --silence-phones=1:2 {LATTICES} ark:{{}}",
        "mpe-class.post",
        "",
    ),
    (
        "dense post",
        "lattice-to-smbr-post",
        f"--acoustic-scale=0.1 --lm-scale=0.5 --silence-phones=1 {LATTICES} ark:{{}}",
        "smbr.post",
        "lattice-to-smbr-post",
    ),
    (
        "dense post",
        "lattice-to-smbr-post",
        f"--one-silence-class=true --silence-phones=1:2 {LATTICES} ark:{{}}",
        "smbr-class.post",
        "",
    ),
    ("sorted post", "post-to-pdf-post", "model.mdl ark:post.ark ark:{}", "pdf.post", ""),
    ("post", "post-to-phone-post", "model.mdl ark:post.ark ark:{}", "phone.post", ""),
    (
        "sorted post",
        "post-to-phone-post",
        "--transition-id-counts=transitions.tacc model.mdl ark:pdf.post ark:{}",
        "pdf-phone.post",
        "",
    ),
    ("matrices", "post-to-feats", "--post-dim=13 ark:post.ark ark:{}", "post-feats.ark", ""),
    ("post", "feat-to-post", "ark:fmllr.ark ark:{}", "fmllr.post", ""),
    ("selection", "copy-gselect", "--n=2 ark:selected.ark ark:{}", "fewer.ark", ""),
    ("selection", "copy-gselect", "ark:selected.ark ark:{}", "selected.ark", ""),
    ("matrix", "sum-matrices", "{} lda.mat lda.mat", "sum.mat", ""),
    ("matrix", "get-full-lda-mat", "lda.mat full.mat {}", "joined.mat", ""),
    ("matrix", "get-full-lda-mat", "lda.mat full.mat /dev/null {}", "joined-inverse.mat", ""),
    (
        "vector",
        "analyze-counts",
        "--counts-dim=15 --frame-weights=ark:weights.ark --utt-weights=ark:aligned.scores ark:ali.ark {}",
        "labels.counts",
        "",
    ),
    ("vector", "compare-int-vector", f"--write-tot-counts={{}} {ALIGNMENTS}", "total.counts", ""),
    ("vector", "compare-int-vector", f"--write-diff-counts={{}} {ALIGNMENTS}", "differing.counts", ""),
    ("matrix", "compare-int-vector", f"--write-confusion-matrix={{}} {ALIGNMENTS}", "confusion.mat", ""),
    *(
        ("bytes", "build-tree-two-level", f"{options} --binary=false {TREE} {files}", expected, "")
        for options, name in (
            ("--max-leaves-first=6 --max-leaves-second=14", "two-level"),
            ("--max-leaves-first=4 --max-leaves-second=20 --cluster-leaves=false", "unclustered"),
        )
        for files, expected in (("{} /dev/null", f"{name}.tree"), ("/dev/null {}", f"{name}.map"))
    ),
    ("model", "gmm-est", "--mix-down=8 --min-count=100 model.mdl stats.acc {}", "down-est.mdl", ""),
    ("model", "gmm-mixup", "--mix-down=9 --power=0.3 est.mdl est.occs {}", "down.mdl", ""),
    ("model", "gmm-mixup", "--mix-down=6 --mix-up=12 est.mdl est.occs {}", "down-up.mdl", ""),
    ("model", "gmm-init-model-flat", "tree topo {} ark:feats.ark", "flat.mdl", ""),
    ("model", "gmm-est", "--mix-up=25 --power=0.3 --min-gaussian-occupancy=5 model.mdl stats.acc {}", "est.mdl", ""),
    (
        "matrices",
        "gmm-est-fmllr-raw",
        f"--spk2utt=ark:spk2utt {RAW} ark:post.ark ark:{{}}",
        "raw-fmllr.ark",
        "gmm-est-fmllr-raw",
    ),
    (
        "matrices",
        "gmm-est-fmllr-raw",
        f"--fmllr-min-count=125 --fmllr-num-iters=3 {RAW} ark:post.ark ark:{{}}",
        "raw-fmllr-short.ark",
        "",
    ),
    (
        "matrices",
        "gmm-est-fmllr-raw-gpost",
        f"--spk2utt=ark:spk2utt {RAW} ark:gpost.ark ark:{{}}",
        "raw-fmllr-gpost.ark",
        "gmm-est-fmllr-raw-gpost",
    ),
    (
        "matrices",
        "gmm-global-est-lvtln-trans",
        f"--spk2utt=ark:spk2utt {OF_UBM} ark:{{}}",
        "ubm-lvtln.ark",
        "gmm-global-est-lvtln-trans",
    ),
    (
        "floats",
        "gmm-global-est-lvtln-trans",
        f"--spk2utt=ark:spk2utt {OF_UBM} ark:/dev/null ark:{{}}",
        "ubm-lvtln.warps",
        "",
    ),
    (
        "matrices",
        "gmm-global-est-lvtln-trans",
        f"--norm-type=diag --logdet-scale=0.5 {OF_UBM} ark:{{}}",
        "ubm-lvtln-diag.ark",
        "",
    ),
    (
        "global statistics",
        "gmm-global-acc-stats-twofeats",
        "--gselect=ark:selected.ark --weights=ark:weights.ark ubm.gmm ark:feats.ark ark:feats2.ark {}",
        "ubm-selected.acc",
        "gmm-global-acc-stats-twofeats",
    ),
    (
        "global statistics",
        "gmm-global-acc-stats-twofeats",
        "--update-flags=m ubm.gmm ark:feats.ark ark:feats2.ark {}",
        "ubm-twofeats.acc",
        "",
    ),
    ("full mixture", "fgmm-global-merge", "{} /dev/null ubm.fgmm ubm.fgmm ubm.fgmm", "merged.fgmm", ""),
    ("bytes", "fgmm-global-merge", "/dev/null {} ubm.fgmm ubm.fgmm ubm.fgmm", "merged.sizes", ""),
    ("fmpe", "fmpe-init", "--context-expansion=0,1.0:-1,1.0;2,0.5 --post-scale=3 ubm.gmm {}", "initial.fmpe", ""),
    ("derivative", "gmm-get-stats-deriv", "model.mdl positive.acc negative.acc stats.acc {}", "stats.deriv", ""),
    (
        "fmpe statistics",
        "gmm-fmpe-acc-stats",
        f"--model-derivative=stats.deriv {FMPE} {{}}",
        "indirect.fmpe-acc",
        "gmm-fmpe-acc-stats",
    ),
    ("fmpe statistics", "gmm-fmpe-acc-stats", f"{FMPE} {{}}", "direct.fmpe-acc", ""),
    ("fmpe statistics", "fmpe-sum-accs", "{} indirect.fmpe-acc direct.fmpe-acc", "summed.fmpe-acc", ""),
    ("fmpe", "fmpe-est", "--learning-rate=0.5 --l2-weight=0.1 initial.fmpe indirect.fmpe-acc {}", "1.fmpe", "fmpe-est"),
    (
        "matrices",
        "fmpe-apply-transform",
        "1.fmpe ark:feats.ark ark:selected.ark ark:{}",
        "fmpe.ark",
        "fmpe-apply-transform",
    ),
    (
        "matrices",
        "fmpe-apply-transform",
        "--add-to-features=false 1.fmpe ark:feats.ark ark:selected.ark ark:{}",
        "fmpe-offsets.ark",
        "",
    ),
    (
        "model",
        "gmm-est-rescale",
        "--min-gaussian-occupancy=3 model.mdl stats.acc smoothed.acc {}",
        "rescaled.mdl",
        "gmm-est-rescale",
    ),
    ("post", "logprob-to-post", "--min-post=0.1 ark:log-probs.ark ark:{}", "pruned.post", "logprob-to-post"),
    ("post", "logprob-to-post", "--random-prune=false --min-post=0.2 ark:log-probs.ark ark:{}", "cut.post", ""),
    (
        "post",
        "paste-post",
        "--allow-partial=true ark:lengths 3:2 ark:few.post ark:more.post ark:{}",
        "pasted.post",
        "paste-post",
    ),
    ("post", "paste-post", "ark:lengths 3,2 ark:few.post ark:more.post ark:{}", "pasted-whole.post", ""),
    ("sparse matrices", "post-to-smat", "--dim=3 ark:few.post ark:{}", "few.smat", ""),
    ("matrices", "add-deltas-sdc", "ark:fmllr.ark ark:{}", "sdc.ark", ""),
    (
        "matrices",
        "add-deltas-sdc",
        "--delta-window=2 --num-blocks=2 --block-shift=1 --truncate=4 ark:fmllr.ark ark:{}",
        "sdc-wide.ark",
        "",
    ),
    ("vectors", "paste-vectors", "ark:weights.ark ark:confidences.ark ark:weights.ark ark:{}", "pasted.vectors", ""),
    ("vectors", "multiply-vectors", "ark:weights.ark ark:confidences.ark ark:{}", "multiplied.ark", ""),
    ("matrices", "matrix-max", "ark:both ark:fmllr.ark ark:{}", "largest.ark", "matrix-max"),
    ("matrix", "extend-transform-dim", "--new-dimension=7 mllt.mat {}", "extended.mat", ""),
    (
        "matrices",
        "extend-transform-dim",
        "--new-dimension=6 ark:fmllr.ark ark:{}",
        "extended.ark",
        "extend-transform-dim",
    ),
    ("pairs", "prons-to-wordali", "ark:prons.ark ark:phone-lengths.ark ark:{}", "words.ali", "prons-to-wordali"),
    (
        "alignments",
        "prons-to-wordali",
        "--per-frame=true ark:prons.ark ark:phone-lengths.ark ark:{}",
        "words-per-frame.ali",
        "",
    ),
    (
        "mixture",
        "init-ubm",
        "--fullcov-ubm=false --ubm-num-gauss=3 --intermediate-num-gauss=8 --reduce-state-factor=0.5 est.mdl "
        "est.occs {}",
        "clustered.gmm",
        "",
    ),
    (
        "full mixture",
        "init-ubm",
        "--ubm-numcomps=2 --intermediate-num-gauss=1000 --max-am-gauss=10 --reduce-state-factor=0.4 est.mdl "
        "est.occs {}",
        "clustered.fgmm",
        "",
    ),
    ("alignments", "gmm-decode-simple", f"{NARROW} ark:{{}}", "decoded-narrow.words", ""),
    ("alignments", "gmm-decode-simple", f"{NARROW} ark:/dev/null ark:{{}}", "decoded-narrow.ark", ""),
    ("lattices", "gmm-decode-simple", f"{NARROW} ark:/dev/null ark:/dev/null ark:{{}}", "decoded-narrow.lat", ""),
    (
        "alignments",
        "gmm-decode-simple",
        f"--allow-partial=false {NARROW.replace('beam=1', 'beam=3')} ark:{{}}",
        "decoded-whole.words",
        "gmm-decode-simple",
    ),
    ("bytes", "nnet3-get-egs-simple", "input=ark:fmllr.ark output=ark:raw-fmllr.ark ark:{}", "simple.egs", ""),
]


SILENCE = "--silence-phones=1:3 --silence-weight=0.25"
ALIGNED = f"--posteriors-of=alignments {SILENCE} --rand-prune=1.5"
SPLICED = "--left-context=1 --right-context=2"
ADAPTED = "--utt2spk=ark:../piped/utt2spk --speaker-transforms=ark:fmllr.ark"
SPEAKERS = "--fmllr-min-count=50 --spk2utt=ark:spk2utt"
# One process in place of a pipe of Kaldi's programs: folder ``piped``, whose make.sh has the pipes.
PIPES = [
    ("lda", "acc-lda", f"{ALIGNED} {SPLICED} model.mdl ark:feats.ark ark:ali.ark {{}}", "../piped/lda.acc", ""),
    (
        "mllt",
        "gmm-acc-mllt",
        f"{ALIGNED} {SPLICED} --transform=../piped/lda.mat model.mdl ark:feats.ark ark:ali.ark {{}}",
        "../piped/mllt.acc",
        "",
    ),
    (
        "statistics",
        "gmm-acc-stats-twofeats",
        f"--posteriors-of=alignments {ADAPTED} model.mdl ark:feats.ark ark:feats.ark ark:ali.ark {{}}",
        "../piped/twofeats.acc",
        "",
    ),
    ("model", "gmm-init-model-flat", f"{SPLICED} tree topo {{}} ark:feats.ark", "../piped/flat.mdl", ""),
    (
        "matrices",
        "gmm-est-fmllr",
        f"--alignment-model=alignment.mdl {SILENCE} {SPEAKERS} model.mdl ark:feats.ark ark:post.ark ark:{{}}",
        "../piped/gpost.ark",
        "",
    ),
    (
        "matrices",
        "gmm-est-fmllr",
        f"--posteriors-of=lattices --acoustic-scale=0.1 --determinize-beam=4 {SILENCE} {ADAPTED} --compose=true "
        f"{SPEAKERS} model.mdl ark:feats.ark ark:lat.ark ark:{{}}",
        "../piped/composed.ark",
        "",
    ),
    (
        "lattices",
        "gmm-rescore-lattice",
        f"--determinize-beam=6 --acoustic-scale=0.1 {ADAPTED} model.mdl ark:lat.ark ark:feats.ark ark:{{}}",
        "../piped/rescored.lat",
        "",
    ),
]


@pytest.fixture(autouse=True)
def in_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(KALDIS)


@pytest.mark.parametrize(("kind", "program", "arguments", "expected", "messages"), [*CASES, *PIPES])
def test_as_kaldi(
    kind: str, program: str, arguments: str, expected: str, messages: str, tmp_path: Path, capfd: Any
) -> None:
    """Integers exactly, numbers to 2e-5 relative and 1e-5 of the largest (sums and inverses in other orders)."""
    output = tmp_path / "output"
    assert run(twin(program), arguments.format(output).split()) == 0
    ours, kaldis = READERS[kind](str(output)), READERS[kind](expected)
    assert list(ours) == list(kaldis)
    for part, array in kaldis.items():
        if array.dtype.kind in "iu":
            np.testing.assert_array_equal(ours[part], array, err_msg=part)
        else:
            largest = float(np.abs(array).max(initial=0.0))
            np.testing.assert_allclose(ours[part], array, rtol=2e-5, atol=1e-5 * largest, err_msg=part)
    if messages:
        heard = capfd.readouterr().err
        for line in (KALDIS / f"{messages}.messages").read_text().splitlines():
            assert any(same_message(line, own) for own in heard.splitlines()), line


@pytest.mark.parametrize(
    ("program", "arguments", "expected"),
    [
        ("compare-int-vector", ALIGNMENTS, "compared.txt"),
        ("show-transitions", "phones.txt model.mdl est.occs", "transitions.txt"),
    ],
)
def test_standard_output(program: str, arguments: str, expected: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(twin(program), arguments.split()) == 0
    assert capfd.readouterr().out == Path(expected).read_text()


def same_message(kaldis: str, ours: str) -> bool:
    """Whether one line ends with the other, numbers alike to 1e-3."""
    number = re.compile(r"-?\d+\.\d+(?:e-\d+)?")
    if number.sub("#", kaldis).strip() not in number.sub("#", ours):
        return False
    expected = [float(n) for n in number.findall(kaldis)]
    return not expected or np.allclose([float(n) for n in number.findall(ours)][-len(expected) :], expected, rtol=1e-3)


@pytest.mark.parametrize(
    ("program", "options", "said"),
    [
        ("acc-lda", "--posteriors-of=lattices model.mdl ark:feats.ark ark:lat.ark", "expected alignments"),
        ("acc-lda", "--silence-weight=0 model.mdl ark:feats.ark ark:ali.post", "needs --silence-phones"),
        ("gmm-est-fmllr", "--posteriors-of=words model.mdl ark:feats.ark ark:post.ark", "alignments or lattices"),
        ("gmm-est-fmllr", "--acoustic-scale=0.1 model.mdl ark:feats.ark ark:post.ark", "--posteriors-of=lattices"),
        ("gmm-est-fmllr", "--compose=true model.mdl ark:feats.ark ark:post.ark", "--compose needs"),
        ("gmm-est-fmllr", "--alignment-model=est.mdl model.mdl ark:feats.ark ark:post.ark", "numbers of Gaussians"),
    ],
)
def test_options_that_make_no_sense(program: str, options: str, said: str, tmp_path: Path, capfd: Any) -> None:
    assert run(twin(program), [*options.split(), f"ark:{tmp_path}/out"]) == 255
    assert said in capfd.readouterr().err


def test_a_grammar_that_no_one_can_say(tmp_path: Path, capfd: Any) -> None:
    """It is left out, where Kaldi's assertion fails; as with Kaldi's, the status is 0."""
    (tmp_path / "grammars").write_text("a \n0 1 9 9\n1\n\nb \n\nc \n0 1 2 2\n1\n\n")
    arguments = ["tree", "model.mdl", "L.fst", f"ark:{tmp_path}/grammars"]
    program = twin("compile-train-graphs-fsts")
    assert run(program, [DISAMBIG, *arguments, f"ark:{tmp_path}/out"]) == 0
    heard = capfd.readouterr().err
    assert "succeeded for 1 graphs, failed for 2" in heard
    assert "Empty decoding graph for utterance a" in heard and "Empty decoding graph for utterance b" in heard
    assert list(READERS["graphs"](f"{tmp_path}/out"))[0].startswith("c ")
    assert run(program, [*arguments, f"ark:{tmp_path}/none"]) == 255
    heard = capfd.readouterr().err
    assert "No disambiguation symbols" in heard and "utterance c: the topology has no phone 4" in heard
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("words", "phones", "status", "said"),
    [
        ("a 7 5\n", "a.0 2 3\n", 255, "No lexicon item: a.1"),
        ("a 7\nb 5\n", "a.0\nb.0 2 3\n", 0, "Empty decoding graph for utterance a: the word 7 has no phones"),
        ("a 7\n", "a.0 2 9\n", 255, "9"),
        ("", "a.0 2\n", 1, "succeeded for 0 graphs, failed for 0"),
    ],
)
def test_words_without_phones(words: str, phones: str, status: int, said: str, tmp_path: Path, capfd: Any) -> None:
    (tmp_path / "words").write_text(words)
    (tmp_path / "phones").write_text(phones)
    tables = f"ark:{tmp_path}/words", f"ark:{tmp_path}/phones", f"ark:{tmp_path}/out"
    program = twin("compile-train-graphs-without-lexicon")
    assert run(program, [DISAMBIG, "tree", "model.mdl", *tables]) == status
    assert said in capfd.readouterr().err
    assert (tmp_path / "out").exists() == (status != 255)


@pytest.mark.parametrize(
    ("key", "matrix", "status", "said"),
    [
        ("a-1", "[ 1 2\n 3 4 ]", 255, "a-1: mismatch, matrix has 2 cols but transition-model has"),
        ("a-1", "[ ]", 1, "Empty loglikes matrix utterance: a-1"),
        ("none", "[ ]", 1, "No fst for utterance none"),
    ],
)
def test_bad_scores_to_align(key: str, matrix: str, status: int, said: str, tmp_path: Path, capfd: Any) -> None:
    (tmp_path / "likes").write_text(f"{key}  {matrix}\n")
    tables = "ark:graphs.fsts", f"ark:{tmp_path}/likes", f"ark:{tmp_path}/out"
    assert run(twin("align-compiled-mapped"), ["model.mdl", *tables]) == status
    assert said in capfd.readouterr().err


def test_numbers_of_a_transition_model(capfd: Any) -> None:
    """As hmm-info wrote them."""
    assert run(twin("hmm-info"), ["model.mdl"]) == 0
    numbers = "number of phones 3\nnumber of pdfs 6\nnumber of transition-ids 12\nnumber of transition-states 6\n"
    assert capfd.readouterr().out == numbers
    assert run(twin("hmm-info"), ["tree"]) == 255
    assert "tree" in capfd.readouterr().err

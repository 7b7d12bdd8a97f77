"""A small made-up data directory with alignments and supervisions: every clone can cut chunks of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kaldi_bridge.examples.supervision import SUPERVISION, Supervision
from kaldi_bridge.fsts.fst import Fst, write_fst
from kaldi_bridge.tables import TableWriter
from kaldi_bridge.tables.holders import DOUBLE_MATRIX, FLOAT_MATRIX
from kaldi_bridge.transforms.cmvn import compute_stats

FACTOR, DIM, NUM_PDFS = 3, 4, 6


class MadeUpData:
    """Under ``path``: data (feats.scp, cmvn.scp, ...), ivectors, supervision.scp, normalization.fst.

    Features are numbered: column 0 is the utterance, column 1 the frame. Utterances have 50, 57, ... frames; or grow by
    another number.
    """

    def __init__(self, path: Path, count: int = 12, growth: int = 7) -> None:
        self.path, self.data = path, path / "data"
        (path / "ivectors").mkdir(parents=True)
        self.data.mkdir()
        random = np.random.default_rng(0)
        self.names = [f"spk{i % 3}-utt{i:02d}" for i in range(count)]
        self.lengths = {name: 50 + growth * i for i, name in enumerate(self.names)}
        self.features: dict[str, np.ndarray] = {}
        for i, name in enumerate(self.names):
            rows = random.normal(size=(self.lengths[name], DIM)).astype(np.float32)
            rows[:, 0], rows[:, 1] = i, np.arange(len(rows))
            self.features[name] = rows
        self.pdfs = {name: random.integers(NUM_PDFS, size=-(-n // FACTOR)) for name, n in self.lengths.items()}
        self._write()

    def _write(self) -> None:
        data = self.data
        self.write_features(self.features)
        (data / "utt2spk").write_text("".join(f"{n} {n[:4]}\n" for n in self.names))
        (data / "utt2num_frames").write_text("".join(f"{n} {self.lengths[n]}\n" for n in self.names))
        with TableWriter(f"ark,scp:{data}/cmvn.ark,{data}/cmvn.scp", DOUBLE_MATRIX) as writer:
            for speaker in sorted({n[:4] for n in self.names}):
                own = [rows for n, rows in self.features.items() if n[:4] == speaker]
                writer.write(speaker, compute_stats(np.concatenate(own)))
        ivectors = self.path / "ivectors"
        (ivectors / "ivector_period").write_text("10\n")
        with TableWriter(
            f"ark,scp:{ivectors}/ivector_online.ark,{ivectors}/ivector_online.scp", FLOAT_MATRIX
        ) as writer:
            for i, n in enumerate(self.names):
                rows = np.zeros((-(-self.lengths[n] // 10), 2), np.float32)
                rows[:, 0], rows[:, 1] = i, np.arange(len(rows))
                writer.write(n, rows)
        self.write_supervisions({n: two_ways(self.pdfs[n]) for n in self.names})
        write_fst(str(self.path / "normalization.fst"), any_pdfs())

    def write_features(self, features: dict[str, np.ndarray]) -> None:
        with TableWriter(f"ark,scp:{self.data}/feats.ark,{self.data}/feats.scp", FLOAT_MATRIX) as writer:
            for name, rows in features.items():
                writer.write(name, rows)

    def write_supervisions(self, supervisions: dict[str, Supervision]) -> None:
        with TableWriter(f"ark,scp:{self.path}/supervision.ark,{self.path}/supervision.scp", SUPERVISION) as writer:
            for name, supervision in supervisions.items():
                writer.write(name, supervision)


def two_ways(pdfs: np.ndarray) -> Supervision:
    """Each frame is its pdf or the next one."""
    arcs = []
    for t, pdf in enumerate(pdfs.tolist()):
        for label in {pdf + 1, (pdf + 1) % NUM_PDFS + 1}:
            arcs.append((t, label, label, 0.0, t + 1))
    return Supervision(1.0, 1, len(pdfs), NUM_PDFS, Fst.from_arcs(0, {len(pdfs): 0.0}, arcs))


def any_pdfs() -> Fst:
    """A normalization FST: all pdfs in any order, pdf p at a cost of p / 8."""
    return Fst.from_arcs(0, {0: 0.0}, [(0, pdf + 1, pdf + 1, pdf / 8, 0) for pdf in range(NUM_PDFS)])

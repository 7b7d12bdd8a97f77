"""The denominator's C++ computes the same numbers on every processor: those of a plain x86-64, to the last bit."""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from nnet3_compat.chain._csrc import DenominatorGraph
from tests.helpers.places import ROOT

HARNESS = """
#include "denominator.h"
extern "C" void run(const int64_t *source, const int64_t *target, const int64_t *pdf, const float *probability,
                    int64_t arcs, const float *initial, int64_t states, int64_t pdfs, const float *likelihoods,
                    int64_t frames, int64_t sequences, const int64_t *lengths, double *log_probs, float *posteriors) {
  nnet3_compat::DenominatorGraph graph(source, target, pdf, probability, arcs, initial, states, pdfs);
  graph.forward_backward(likelihoods, frames, sequences, lengths, 1e-5f, 1, log_probs, posteriors);
}
"""
STATES, ARCS, PDFS, FRAMES, SEQUENCES = 200, 1000, 30, 20, 20


@pytest.mark.slow
@pytest.mark.skipif(platform.machine() != "x86_64", reason="only x86-64 has several versions")
@pytest.mark.skipif(not shutil.which(os.environ.get("CXX", "c++").split()[-1]), reason="there is no C++ compiler")
def test_the_plain_version_gives_the_same_bits(tmp_path: Path) -> None:
    csrc = ROOT / "nnet3_compat/chain/csrc"
    (tmp_path / "harness.cc").write_text(HARNESS)
    flags = ["-O3", "-std=c++17", "-fPIC", "-shared", "-pthread", "-Wno-psabi", "-DFOR_EACH_PROCESSOR="]
    compiler = os.environ.get("CXX", "c++").split()
    files = [str(csrc / "denominator.cc"), str(tmp_path / "harness.cc")]
    subprocess.run([*compiler, *flags, f"-I{csrc}", *files, "-o", str(tmp_path / "plain.so")], check=True)

    random = np.random.default_rng(0)
    states = np.arange(STATES)
    source = np.concatenate([states, random.integers(0, STATES, ARCS - STATES)])
    target = np.concatenate([np.roll(states, 1), random.integers(0, STATES, ARCS - STATES)])
    pdf = random.integers(0, PDFS, ARCS)
    probability = random.uniform(0, 0.2, ARCS).astype(np.float32)
    initial = np.full(STATES, 1 / STATES, np.float32)
    likelihoods = np.exp(random.standard_normal((FRAMES, SEQUENCES, PDFS))).astype(np.float32)
    lengths = random.integers(1, FRAMES + 1, SEQUENCES)
    log_probs, posteriors = np.zeros(SEQUENCES), np.zeros_like(likelihoods)

    def pointer(array: np.ndarray) -> ctypes.c_void_p:
        return ctypes.c_void_p(array.ctypes.data)

    sizes = [ctypes.c_int64(size) for size in (ARCS, STATES, PDFS, FRAMES, SEQUENCES)]
    arcs, num_states, pdfs, frames, sequences = sizes
    ctypes.CDLL(str(tmp_path / "plain.so")).run(
        *map(pointer, (source, target, pdf, probability)), arcs, pointer(initial), num_states, pdfs,
        pointer(likelihoods), frames, sequences, *map(pointer, (lengths, log_probs, posteriors)),
    )  # fmt: skip

    graph = DenominatorGraph(source, target, pdf, probability, initial, PDFS)
    expected_log_probs, expected = graph.forward_backward(likelihoods, lengths, 1e-5, 1)
    assert posteriors.sum() > 1
    np.testing.assert_array_equal(log_probs, expected_log_probs)
    np.testing.assert_array_equal(posteriors, expected)

"""The numerator's kernels: in Triton's interpreter, compiled for a GPU that is not there, and on one that is."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from nnet3_compat.chain.numerator import numerator
from tests.helpers.chain_supervisions import flat_start, one_sequence, two_sequences
from tests.helpers.triton_programs import run_with_triton

INTERPRETED = """
import torch
from nnet3_compat.chain.numerator import numerator
from nnet3_compat.chain.numerator_triton import numerator_triton, pack
from tests.helpers.chain_supervisions import flat_start, one_sequence, two_sequences

torch.manual_seed(0)
for supervisions in ([two_sequences()], [two_sequences(2)], [flat_start()], [two_sequences(), one_sequence(2)]):
    frames = max(supervision.frames_per_sequence for supervision in supervisions)
    sequences = sum(supervision.num_sequences for supervision in supervisions)
    for size in (1.0, 200.0):
        output = size * torch.randn(frames, sequences, 4)
        expected, posteriors = numerator(supervisions, output.double())
        found, found_posteriors = numerator_triton(pack(supervisions, output.shape, output.device), output)
        assert abs(found - expected) < 1e-5 * max(1.0, abs(expected)), (found, expected)
        assert (found_posteriors - posteriors).abs().max() < 1e-5
        assert abs(posteriors.sum() - sum(s.num_sequences * s.frames_per_sequence for s in supervisions)) < 1e-3
"""

COMPILED = """
from triton import compile
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from nnet3_compat.chain import numerator_triton as kernels

kinds = {"y": "*fp32", "posteriors": "*fp32", "ROWS": "constexpr"}
kinds |= dict.fromkeys(("alpha", "beta", "log_probs", "arc_log_prob"), "*fp64")
for kernel in (kernels._forward, kernels._backward):
    types = {name: kinds.get(name, "*i64") for name in kernel.arg_names}
    source = ASTSource(kernel, types, constexprs={"ROWS": kernels.ROWS})
    made = compile(source, target=GPUTarget("cuda", 80, 32), options={"num_warps": kernels.WARPS})
    assert made.asm["cubin"]
    assert "bar.sync" in made.asm["ptx"] or "bar.warp.sync" in made.asm["ptx"]
"""


@pytest.mark.slow
def test_interpreted() -> None:
    """The definition's numbers, for sequences that meet in one state and in two, flat start, and different lengths."""
    run_with_triton(INTERPRETED, TRITON_INTERPRET="1")


@pytest.mark.slow
def test_compiled_for_a_gpu(tmp_path: Path) -> None:
    run_with_triton(COMPILED, TRITON_INTERPRET="0", TRITON_CACHE_DIR=str(tmp_path))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu() -> None:
    from nnet3_compat.chain.numerator_triton import numerator_triton, pack

    for supervisions in ([two_sequences(), one_sequence(2)], [flat_start()]):
        frames = max(supervision.frames_per_sequence for supervision in supervisions)
        output = torch.randn(frames, sum(supervision.num_sequences for supervision in supervisions), 4)
        expected, posteriors = numerator(supervisions, output.double())
        found, found_posteriors = numerator_triton(
            pack(supervisions, output.shape, torch.device("cuda")), output.cuda()
        )
        assert found.item() == pytest.approx(expected.item(), rel=1e-5)
        assert torch.allclose(found_posteriors.cpu().double(), posteriors, atol=1e-5)

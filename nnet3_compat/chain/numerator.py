"""The numerator of LF-MMI: forward-backward over supervisions, in the log domain and in double precision.

As chain/chain-numerator.cc, and chain-generic-numerator.cc for flat-start supervision. ``numerator_plain`` is the
definition, in plain PyTorch. What is used, where it was built, is C++ on the CPU for an output on any device: of the
output it needs only the few cells that the supervisions name, and while it computes a GPU goes on with the denominator.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.supervision import Supervision
from nnet3_compat.chain.extension import extension
from nnet3_compat.chain.numerator_graph import NumeratorGraph

Result = tuple[Tensor, Tensor]


def numerator(supervisions: Sequence[Supervision], output: Tensor) -> Result:
    """``output``: [frames, sequences, pdfs], unnormalized log-probabilities; ``supervisions``: of one or several
    sequences each, in order, which may have fewer frames.

    Returns the log-probability of all sequences together, and its derivative with respect to the output: the
    posteriors of the pdfs [frames, sequences, pdfs], zero beyond a sequence's length.
    Raises KaldiError for a supervision whose paths have not one arc for each frame.
    """
    return begin_numerator(supervisions, output)()


def begin_numerator(supervisions: Sequence[Supervision], output: Tensor) -> Callable[[], Result]:
    """Begins what ``numerator`` does: starts to copy from a GPU. What it returns computes the rest."""
    native = extension() if output.dtype == torch.float32 else None
    if native is None:
        return lambda: _each_plain(supervisions, output)
    unrolled = native.Numerator(*output.shape)
    first = 0
    for supervision in supervisions:
        _add(unrolled, supervision, first)
        first += supervision.num_sequences
    cells = torch.from_numpy(unrolled.cells).to(output.device)
    scores = output.reshape(-1)[cells].to("cpu", non_blocking=True)
    copied = torch.cuda.Event() if output.is_cuda else None
    if copied is not None:
        copied.record()

    def finish() -> Result:
        if copied is not None:
            copied.synchronize()
        log_prob, occupations = unrolled.forward_backward(scores.numpy(), torch.get_num_threads())
        posteriors = torch.zeros(output.shape, device=output.device)
        posteriors.view(-1)[cells] = torch.from_numpy(occupations).to(output.device)
        return torch.tensor(log_prob, dtype=output.dtype, device=output.device), posteriors

    return finish


def _add(unrolled: Any, supervision: Supervision, first: int) -> None:
    count, length, flat_start = supervision.num_sequences, supervision.frames_per_sequence, supervision.fst is None
    fsts = supervision.e2e_fsts if supervision.fst is None else [supervision.fst]
    for i, fst in enumerate(fsts):
        columns = (fst.arcs["ilabel"], fst.arcs["nextstate"], fst.arcs["weight"])
        place = (first + i, 1 if flat_start else count, length, flat_start)
        try:
            unrolled.add(fst.offsets, *columns, fst.finals, int(fst.start), *place)
        except ValueError as error:
            raise KaldiError(str(error)) from None


def _each_plain(supervisions: Sequence[Supervision], output: Tensor) -> Result:
    posteriors = torch.zeros_like(output)
    total, first = output.new_zeros(()), 0
    for supervision in supervisions:
        part = (slice(supervision.frames_per_sequence), slice(first, first + supervision.num_sequences))
        log_prob, posteriors[part] = numerator_plain(NumeratorGraph(supervision), output[part])
        total = total + log_prob
        first += supervision.num_sequences
    return total, posteriors


def numerator_plain(graph: NumeratorGraph, output: Tensor) -> tuple[Tensor, Tensor]:
    """As ``numerator``, on any device and in any precision."""
    device, scores = output.device, []
    log_alpha = torch.full((graph.num_states,), -torch.inf, dtype=torch.float64, device=device)
    log_alpha[torch.as_tensor(graph.starts, device=device)] = 0.0
    levels = [
        tuple(torch.as_tensor(c, device=device) for c in (v.source, v.target, v.frame, v.sequence, v.pdf, v.log_prob))
        for v in graph.levels
    ]
    for source, target, frame, sequence, pdf, log_prob in levels:
        scores.append(output[frame, sequence, pdf].double() + log_prob)
        _log_add(log_alpha, target, log_alpha[source] + scores[-1])

    ends, end_group = (torch.as_tensor(x, device=device) for x in (graph.ends, graph.end_group))
    end_log_prob = torch.as_tensor(graph.end_log_prob, dtype=torch.float64, device=device)
    of_group = torch.full((graph.num_groups,), -torch.inf, dtype=torch.float64, device=device)
    _log_add(of_group, end_group, log_alpha[ends] + end_log_prob)
    total = of_group.sum()
    of_sequence = of_group.expand(output.shape[1])
    log_beta = torch.full_like(log_alpha, -torch.inf)
    log_beta[ends] = end_log_prob

    posteriors = torch.zeros(output.shape, dtype=torch.float64, device=device)
    for (source, target, frame, sequence, pdf, _), score in zip(reversed(levels), reversed(scores), strict=True):
        score = score + log_beta[target]
        occupation = (log_alpha[source] + score - of_sequence[sequence]).exp()
        posteriors.index_put_((frame, sequence, pdf), occupation, accumulate=True)
        _log_add(log_beta, source, score)
    return total.to(output.dtype), posteriors.to(output.dtype)


def _log_add(log_values: Tensor, index: Tensor, terms: Tensor) -> None:
    """log_values[index] += terms, in the log domain; an index may occur several times."""
    largest = log_values.scatter_reduce(0, index, terms, "amax")
    shift = torch.where(largest.isfinite(), largest, torch.zeros_like(largest))
    total = (log_values - shift).exp().index_add(0, index, (terms - shift[index]).exp())
    log_values.copy_(total.log() + shift)

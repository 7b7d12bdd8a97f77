"""The objective of a minibatch of word sequences and its derivatives (rnnlm/rnnlm-example-utils.cc).

For position i, of weight v_i, with the network's output y_i, and the embedding e_w of word w, l(i, w) = y_i . e_w is
nearly the log-probability of w. The objective is

    sum_i v_i (l(i, w_i) + 1 - sum_w q(l(i, w)) / p_w),      q(l) = exp(l) for l < 0, l + 1 for others

which is not more than that with -log sum_w exp(l(i, w)) as second term, the exact one, and as much where the sum is 1.
It is linear in the sum, which may then be taken over words that were drawn with probability p_w (importance sampling),
as well as over all words, with p_w = 1. Word 0, <eps>, does not count.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.rnnlm.examples import RnnlmExample
from nnet3_compat.rnnlm.batch import WordTensors

LARGEST_LOG = 80.0  # for the exact term
LEAST_LIMIT = -0.5


@dataclass(frozen=True)
class ObjectiveOptions:
    """Options of the objective.

    Attributes:
        den_term_limit: where the average second term is below this, its derivative is made smaller in proportion, which
            keeps the first minibatches stable; 0: never.
        max_logprob_elements: of a matrix of all positions and words; positions are taken by parts where it had more.
    """

    den_term_limit: float = -10.0
    max_logprob_elements: int = 1_000_000_000

    def __post_init__(self) -> None:
        if self.den_term_limit != 0.0 and not self.den_term_limit < LEAST_LIMIT:
            raise KaldiError(f"--den-term-limit={self.den_term_limit:g} must be 0, or less than {LEAST_LIMIT}")


@dataclass
class RnnlmObjective:
    """Sums over a minibatch.

    Attributes:
        weight: of all positions.
        numerator, denominator: the first and the second term of the objective.
        exact_denominator: what the second one bounds from below; 0 where words are sampled.
        output_derivative: [positions, dim], with respect to the output; None unless wanted.
        embedding_derivative: [words, dim]; None unless wanted.
    """

    weight: float
    numerator: float
    denominator: float
    exact_denominator: float
    output_derivative: Tensor | None = None
    embedding_derivative: Tensor | None = None


def rnnlm_objective(
    example: RnnlmExample,
    words: WordTensors,
    embedding: Tensor,
    output: Tensor,
    options: ObjectiveOptions,
    derivatives: bool = True,
    embedding_derivative: bool = True,
) -> RnnlmObjective:
    """The objective of an example.

    Args:
        words: the arrays of the example, its words perhaps by other numbers, which ``embedding`` has too.
        embedding: [words, dim].
        output: [chunk_length * num_chunks, dim], as the example's arrays.
        derivatives: whether that with respect to the output is wanted, and with ``embedding_derivative`` to the other.
    Raises:
        KaldiError: the output has another size.
    """
    if output.shape != (len(words.output_words), embedding.shape[1]):
        raise KaldiError(f"an output of the network of {tuple(output.shape)} does not fit the words and embeddings")
    terms = _sampled if example.has_samples else _of_all_words
    with torch.no_grad():
        return terms(example, words, embedding, output, options, derivatives, derivatives and embedding_derivative)


def _q(log_probs: Tensor) -> tuple[Tensor, Tensor]:
    """q, in the place of the log-probabilities, and its derivative."""
    derivative = log_probs.clamp(max=0.0).exp_()
    return log_probs.clamp_(min=0.0).add_(derivative), derivative


def _limited(denominators: Tensor, weight: Tensor, limit: float) -> Tensor:
    """Factors of the second term's derivative, for sums of it up to some positions."""
    average = denominators / weight
    limited = (average < limit) if limit != 0.0 else torch.zeros_like(average, dtype=torch.bool)
    return torch.where((weight > 0.0) & limited, limit / average, 1.0)


def _sampled(
    example: RnnlmExample,
    words: WordTensors,
    embedding: Tensor,
    output: Tensor,
    options: ObjectiveOptions,
    derivatives: bool,
    embedding_derivative: bool,
) -> RnnlmObjective:
    """All groups of times at once."""
    groups, dim = example.chunk_length // example.sample_group_size, embedding.shape[1]
    outputs = output.view(groups, -1, dim)
    weights = words.output_weights.view(groups, -1, 1)
    inverse = words.sample_inv_probs.view(groups, 1, -1)
    targets = words.output_words.view(groups, -1, 1)
    sampled = embedding[words.sampled_words].view(groups, -1, dim)
    log_probs = torch.bmm(outputs, sampled.transpose(1, 2))  # [groups, positions, samples]
    numerator = (log_probs.gather(2, targets) * weights).sum()
    q, derivative = _q(log_probs)
    of_groups = -(torch.bmm(q, inverse.transpose(1, 2)) * weights).sum((1, 2))
    weight = words.output_weights.sum()
    made = RnnlmObjective(float(weight), float(numerator), float(of_groups.sum() + weight), 0.0)
    if not derivatives:
        return made
    limit = _limited(of_groups.cumsum(0), weight, options.den_term_limit)
    derivative.mul_(inverse).mul_(limit.view(-1, 1, 1))
    derivative.scatter_add_(2, targets, derivative.new_full((), -1.0).expand_as(targets))
    derivative.mul_(-weights)
    made.output_derivative = torch.bmm(derivative, sampled).view_as(output)
    if embedding_derivative:
        of_samples = torch.bmm(derivative.transpose(1, 2), outputs)
        made.embedding_derivative = torch.zeros_like(embedding).index_add_(
            0, words.sampled_words, of_samples.view(-1, dim)
        )
    return made


def _of_all_words(
    example: RnnlmExample,
    words: WordTensors,
    embedding: Tensor,
    output: Tensor,
    options: ObjectiveOptions,
    derivatives: bool,
    embedding_derivative: bool,
) -> RnnlmObjective:
    """By parts of the positions, most often one."""
    positions, num_words = len(output), len(embedding)
    fits = positions * num_words < options.max_logprob_elements
    size = positions if fits else max(1, min(positions, options.max_logprob_elements // num_words))
    every = embedding[1:]
    weight = words.output_weights.sum()
    made = RnnlmObjective(float(weight), 0.0, 0.0, 0.0)
    if derivatives:
        made.output_derivative = torch.empty_like(output)
    if embedding_derivative:
        made.embedding_derivative = torch.zeros_like(embedding)
    for begin in range(0, positions, size):
        part = slice(begin, begin + size)
        weights, targets = words.output_weights[part], words.output_words[part, None] - 1
        log_probs = output[part] @ every.t()
        made.numerator += float((log_probs.gather(1, targets).squeeze(1) * weights).sum())
        made.exact_denominator -= float((log_probs.clamp(-LARGEST_LOG, LARGEST_LOG).logsumexp(1) * weights).sum())
        q, derivative = _q(log_probs)
        made.denominator += float(((1.0 - q.sum(1)) * weights).sum())
        if made.output_derivative is None:
            continue
        factor = _limited(weight.new_tensor(made.denominator), weight, options.den_term_limit)
        derivative.mul_(factor * weights[:, None])
        derivative.scatter_add_(1, targets, -weights[:, None])
        derivative.neg_()
        torch.mm(derivative, every, out=made.output_derivative[part])
        if made.embedding_derivative is not None:
            made.embedding_derivative[1:].addmm_(derivative.t(), output[part])
    if abs(made.exact_denominator) > positions:
        log.warning(f"Big den objf {made.exact_denominator:g}")
    return made

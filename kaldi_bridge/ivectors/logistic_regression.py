"""Multi-class logistic regression on vectors, with several components for each class (ivector/logistic-regression.cc).

A class's probability is the sum of those of its components, the softmax of ``weights`` times the vector with a 1
appended.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom, normal_matrix
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.gmm.estimation import MixUpOptions, split_targets
from kaldi_bridge.io.basic_io import (
    expect_token,
    read_header,
    read_int_vector,
    read_token,
    write_header,
    write_int_vector,
    write_token,
)
from kaldi_bridge.io.matrix_io import read_matrix, write_matrix
from kaldi_bridge.io.streams import open_input, open_output
from kaldi_bridge.ivectors.lbfgs import Lbfgs


@dataclass(frozen=True)
class LogisticRegression:
    """A classifier.

    Attributes:
        weights: float32 [components, dim + 1], the offset last.
        classes: int [components], the class of each.
    """

    weights: np.ndarray
    classes: np.ndarray

    @property
    def num_classes(self) -> int:
        """Classes are 0 to one less."""
        return int(self.classes.max()) + 1

    def log_posteriors(self, vectors: np.ndarray) -> np.ndarray:
        """float32 [N, classes] of vectors [N, dim]. Raises KaldiError for another dimension."""
        if vectors.shape[1] + 1 != self.weights.shape[1]:
            raise KaldiError(f"vectors of dimension {vectors.shape[1]}, but the model has {self.weights.shape[1] - 1}")
        scores = (vectors @ self.weights[:, :-1].T + self.weights[:, -1]).astype(np.float64)
        scores -= np.logaddexp.reduce(scores, axis=1, keepdims=True)
        result = np.full((len(vectors), self.num_classes), -np.inf)
        for component, number in enumerate(self.classes):
            result[:, number] = np.logaddexp(result[:, number], scores[:, component])
        return result.astype(np.float32)

    def with_priors_scaled(self, scales: np.ndarray) -> LogisticRegression:
        """Each class's prior probability times ``scales`` [classes]. Raises KaldiError for another number of them."""
        if len(scales) < self.num_classes:
            raise KaldiError(f"{len(scales)} scales of priors for {self.num_classes} classes")
        weights = self.weights.copy()
        weights[:, -1] += np.log(scales[self.classes])
        return LogisticRegression(weights, self.classes)


def read_logistic_regression(rxfilename: str) -> LogisticRegression:
    """A model in a file. Raises KaldiError."""
    with open_input(rxfilename) as stream:
        binary = read_header(stream)
        expect_token(stream, binary, "<LogisticRegression>")
        expect_token(stream, binary, "<weights>")
        weights = read_matrix(stream, binary)
        token = read_token(stream, binary)
        classes = np.arange(len(weights))  # in old files
        if token == "<class>":
            classes = np.array(read_int_vector(stream, binary), np.int64)
            expect_token(stream, binary, "</LogisticRegression>")
    if not weights.size or len(classes) != len(weights) or classes.min() < 0 or classes.max() >= len(weights):
        raise KaldiError(f"{rxfilename}: a model of {len(weights)} components with the classes {classes.tolist()[:8]}")
    return LogisticRegression(weights, classes)


def write_logistic_regression(wxfilename: str, binary: bool, model: LogisticRegression) -> None:
    """Writes a model to a file. Raises KaldiError."""
    with open_output(wxfilename) as stream:
        write_header(stream, binary)
        write_token(stream, binary, "<LogisticRegression>")
        write_token(stream, binary, "<weights>")
        write_matrix(stream, binary, model.weights)
        write_token(stream, binary, "<class>")
        write_int_vector(stream, binary, model.classes.astype(np.int32))
        write_token(stream, binary, "</LogisticRegression>")


@dataclass
class LogisticRegressionOptions:
    """Kaldi's LogisticRegressionConfig."""

    max_steps: int = option(20, "Maximum steps in L-BFGS.")
    mix_up: int = option(0, "Target number of components of all classes, if more than one each")
    normalizer: float = option(0.0025, "Coefficient for L2 regularization.", type="double")
    power: float = option(0.15, "Power of a class's count in sharing out the components", type="double")


def train(
    vectors: np.ndarray, labels: np.ndarray, options: LogisticRegressionOptions, random: CRandom
) -> LogisticRegression:
    """Of vectors [N, dim] and int classes [N]: one component each first, then more with ``mix_up``.

    Raises KaldiError where a class is negative, or a vector not finite.
    """
    if labels.min() < 0:
        raise KaldiError(f"the class {labels.min()}: classes are numbers from 0 on")
    if not np.isfinite(vectors).all():
        raise KaldiError("vectors that are infinite or not a number")
    inputs = np.hstack([vectors, np.ones((len(vectors), 1))]).astype(np.float32)
    classes = np.arange(labels.max() + 1)
    weights = _maximized(np.zeros((len(classes), inputs.shape[1]), np.float32), classes, inputs, labels, options)
    log.info("Finished training parameters without mixture components.")
    if options.mix_up > len(classes):
        weights, classes = _mixed_up(weights, labels, options, random)
        weights = _maximized(weights, classes, inputs, labels, options)
        log.info("Finished training mixture components.")
    return LogisticRegression(weights, classes)


def _maximized(
    weights: np.ndarray, classes: np.ndarray, inputs: np.ndarray, labels: np.ndarray, options: LogisticRegressionOptions
) -> np.ndarray:
    search = Lbfgs(weights.ravel())
    own = classes == labels[:, np.newaxis]
    for _ in range(options.max_steps):
        value, gradient = _objective(search.proposed.reshape(weights.shape), own, inputs, options.normalizer)
        search.step(value, gradient.ravel())
        log.info(f"Objective function is {value:g}")
    return search.best.reshape(weights.shape)


def _objective(
    weights: np.ndarray, own: np.ndarray, inputs: np.ndarray, normalizer: float
) -> tuple[np.float32, np.ndarray]:
    """Mean log probability of the classes less the regularization, and its gradient; ``own``: bool [N, components]."""
    scores = inputs @ weights.T
    probabilities = np.exp(scores - scores.max(axis=1, keepdims=True))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    right = np.maximum((probabilities * own).sum(axis=1, keepdims=True), np.float32(1e-20))
    factor = np.float32(normalizer)
    gradient = (own * (probabilities / right) - probabilities).T @ inputs / np.float32(len(inputs)) - factor * weights
    value = np.log(right.astype(np.float64)).mean() - 0.5 * factor * float((weights * weights).sum(dtype=np.float64))
    return np.float32(value), gradient.astype(np.float32)


def _mixed_up(
    weights: np.ndarray, labels: np.ndarray, options: LogisticRegressionOptions, random: CRandom
) -> tuple[np.ndarray, np.ndarray]:
    """More components of each class, its first one with a little noise each."""
    counts = np.bincount(labels)
    targets = split_targets(counts, MixUpOptions(min_count=1.0, power=options.power), options.mix_up)
    log.info(f"Target number mixture components was {options.mix_up}. Training {targets.sum()} mixture components.")
    added = [number for number, target in enumerate(targets.tolist()) for _ in range(1, target)]
    noise = [normal_matrix(1, weights.shape[1], random)[0] for _ in added]
    more = [weights[number] + np.float32(1e-5) * drawn for number, drawn in zip(added, noise, strict=True)]
    return np.vstack([weights, *more]), np.concatenate([np.arange(len(weights)), added]).astype(np.int64)

"""Linear discriminant analysis of i-vectors by speaker (ivectorbin/ivector-compute-lda.cc)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.ivectors.covariances import eigenvalues
from kaldi_bridge.ivectors.plda import vector_text


@dataclass
class SpeakerLdaOptions:
    """What ivector-compute-lda takes."""

    dim: int = option(100, "Dimension that remains")
    total_covariance_factor: float = option(
        0.0, "Which covariance is made the unit matrix: 0 the within-class one, 1 the total one, or between the two"
    )
    covariance_floor: float = option(
        1.0e-06, "Eigenvalues of that covariance are at least this times the largest of them"
    )


def estimate_speaker_lda(ivectors: np.ndarray, speakers: list[str], options: SpeakerLdaOptions) -> np.ndarray:
    """float32 [dim, columns + 1]: the affine transform of i-vectors [N, columns], a speaker for each, to mean 0.

    Signs of the rows are arbitrary. Raises KaldiError for options that make no sense, or too few i-vectors.
    """
    count, columns = ivectors.shape
    _check(options, count, columns, len(set(speakers)))
    mean = ivectors.mean(axis=0, dtype=np.float64).astype(np.float32)
    log.info(f"2-norm of iVector mean is {np.linalg.norm(mean):g}")
    centered = (ivectors - mean).astype(np.float64)
    total = centered.T @ centered / count
    of_speaker: dict[str, list[int]] = defaultdict(list)
    for row, speaker in enumerate(speakers):
        of_speaker[speaker].append(row)
    sums = np.array([centered[rows].sum(axis=0) for rows in of_speaker.values()])
    sizes = np.array([len(rows) for rows in of_speaker.values()])
    between = (sums / sizes[:, np.newaxis]).T @ sums / count
    log.info(f"Stats have {len(sizes)} speakers, {count} utterances. ")
    factor = float(np.float32(options.total_covariance_factor))
    whitening = _whitening(
        factor * total + (1.0 - factor) * (total - between), float(np.float32(options.covariance_floor))
    )
    variances, directions = eigenvalues(whitening @ between @ whitening.T, "the between-class covariance")
    log.info(
        "Singular values of between-class covariance after projecting with interpolated [total/within] covariance "
        f"with a weight of {factor:g} on the total covariance, are: {vector_text(variances)}"
    )
    linear = (directions.T[: options.dim] @ whitening).astype(np.float32)
    return np.hstack([linear, -(linear @ mean)[:, np.newaxis]])


def _check(options: SpeakerLdaOptions, count: int, columns: int, num_speakers: int) -> None:
    if not 0 < options.dim <= columns:
        raise KaldiError(f"--dim={options.dim} must be from 1 to the i-vectors' dimension {columns}")
    if options.covariance_floor < 0:
        raise KaldiError(f"--covariance-floor={options.covariance_floor:g} must not be negative")
    if count < columns:
        raise KaldiError(f"Too little data for iVector dimension: {count} i-vectors of dimension {columns}")
    if count == num_speakers:
        raise KaldiError("no speaker has several utterances: there is no within-class covariance")


def _whitening(covariance: np.ndarray, floor: float) -> np.ndarray:
    """The matrix that makes a covariance the unit matrix."""
    values, vectors = eigenvalues(covariance, "the within-class covariance")
    floor *= values[0]
    floored = int((values < floor).sum())
    if floored:
        log.warning(f"Floored {floored} eigenvalues of covariance to {floor:g}")
    result: np.ndarray = vectors.T / np.sqrt(np.maximum(values, floor))[:, np.newaxis]
    return result

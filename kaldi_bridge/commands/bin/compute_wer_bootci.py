"""nnet-pytorch-compute-wer-bootci: twin of compute-wer-bootci."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from kaldi_bridge.command import command, option, write_stdout
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.lattices.word_error_rate import Bootstrap, edit_distance
from kaldi_bridge.tables import RandomAccessReader, SequentialReader
from kaldi_bridge.tables.holders import TOKEN_VECTOR

USAGE = """Print the word error rate with its 95 % confidence interval, by the bootstrap method of Bisani and Ney.
With a second transcription also how probable it is that this is better.
Usage: nnet-pytorch-compute-wer-bootci [options] <ref-rspecifier> <hyp-rspecifier> [<hyp2-rspecifier>]
e.g.: nnet-pytorch-compute-wer-bootci --mode=present ark:data/test/text ark:hyp_text"""


@dataclass
class Options:
    """Options of compute-wer-bootci."""

    mode: str = option(
        "strict",
        '"present": score those that are there; "all": absent ones count as empty; "strict": none may be absent',
    )
    replications: int = option(10000, "Number of replications to compute the intervals")


def _edits(mode: str, ref_rspecifier: str, hyp_rspecifiers: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """int64 [sentences], the words; and [transcriptions, sentences], the errors."""
    words, errors = [], []
    with ExitStack() as stack:
        references = stack.enter_context(SequentialReader(ref_rspecifier, TOKEN_VECTOR))
        hypotheses = [stack.enter_context(RandomAccessReader(name, TOKEN_VECTOR)) for name in hyp_rspecifiers]
        for key, reference in references:
            present = [key in reader for reader in hypotheses]
            if not all(present) and mode == "strict":
                raise KaldiError(f"No hypothesis for key {key} and strict mode specifier.")
            if not all(present) and mode == "present":
                continue
            words.append(len(reference))
            errors.append(
                [
                    sum(edit_distance(reference, reader[key] if there else []))
                    for reader, there in zip(hypotheses, present, strict=True)
                ]
            )
    return np.array(words, np.int64), np.array(errors, np.int64).reshape(-1, len(hyp_rspecifiers)).T


def compute_wer_bootci(options: Options, ref_rspecifier: str, hyp_rspecifier: str, hyp2_rspecifier: str = "") -> int:
    if options.mode not in ("strict", "present", "all"):
        raise KaldiError(f'--mode option invalid: expected "present"|"all"|"strict", got {options.mode}')
    if options.replications < 1:
        raise KaldiError(f"--replications={options.replications} must be at least 1")
    hyp_rspecifiers = [hyp_rspecifier, hyp2_rspecifier] if hyp2_rspecifier else [hyp_rspecifier]
    words, errors = _edits(options.mode, ref_rspecifier, hyp_rspecifiers)
    bootstrap = Bootstrap(options.replications)
    hundred = np.float32(100)
    for number, some in enumerate(errors, 1):
        mean, interval = bootstrap.interval(some, words)
        low, high = hundred * mean - hundred * interval, hundred * mean + hundred * interval
        write_stdout(f"Set{number}: %WER {hundred * mean:.2f} 95% Conf Interval [ {low:.2f}, {high:.2f} ]\n")
    if hyp2_rspecifier:
        write_stdout(f"Probability of Set2 improving Set1: {hundred * bootstrap.improvement(*errors):.2f}\n")
    return 0


main = command(compute_wer_bootci, usage=USAGE)

if __name__ == "__main__":
    main()

"""nnet-pytorch-compute-wer: twin of compute-wer."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option, without_effect, write_stdout
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.lattices.word_error_rate import WordErrors
from kaldi_bridge.tables import RandomAccessReader, SequentialReader
from kaldi_bridge.tables.holders import TOKEN_VECTOR

USAGE = """Compare transcriptions with references and print word and sentence error rates.
Usage: nnet-pytorch-compute-wer [options] <ref-rspecifier> <hyp-rspecifier>
e.g.: nnet-pytorch-compute-wer --mode=present ark:data/test/text ark:hyp_text"""


@dataclass
class Options:
    """Options of compute-wer."""

    mode: str = option(
        "strict",
        '"present": score those that are there; "all": absent ones count as empty; "strict": none may be absent',
    )
    text: bool = without_effect(False, "As in Kaldi")


def compute_wer(options: Options, ref_rspecifier: str, hyp_rspecifier: str) -> int:
    if options.mode not in ("strict", "present", "all"):
        raise KaldiError(f'--mode option invalid: expected "present"|"all"|"strict", got {options.mode}')
    errors = WordErrors()
    with (
        SequentialReader(ref_rspecifier, TOKEN_VECTOR) as references,
        RandomAccessReader(hyp_rspecifier, TOKEN_VECTOR) as hypotheses,
    ):
        for key, reference in references:
            if key in hypotheses:
                errors.add(reference, hypotheses[key])
                continue
            if options.mode == "strict":
                raise KaldiError(f"No hypothesis for key {key} and strict mode specifier.")
            errors.absent += 1
            if options.mode == "all":
                errors.add(reference, [])
    write_stdout(errors.report())
    return 0


main = command(compute_wer, usage=USAGE)

if __name__ == "__main__":
    main()

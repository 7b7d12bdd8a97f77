"""nnet-pytorch-multiply-vectors: twin of multiply-vectors."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import EntryError
from kaldi_bridge.features.combination import multiplied
from kaldi_bridge.io.matrix_files import read_vector_file, write_vector_file
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tables import is_rspecifier
from kaldi_bridge.tables.holders import FLOAT_VECTOR
from kaldi_bridge.tables.joined import combine_tables

USAGE = """Multiply vectors of about the same lengths, such as weights of frames, number by number.
Usage: nnet-pytorch-multiply-vectors <in-rspecifier1> <in-rspecifier2> [<in-rspecifier3> ...] <out-wspecifier>
or:    nnet-pytorch-multiply-vectors <in-rxfilename1> <in-rxfilename2> [<in-rxfilename3> ...] <out-wxfilename>
e.g.: nnet-pytorch-multiply-vectors ark:vad.ark ark:weights.ark ark:out.ark"""


@dataclass
class Options(OutputOptions):
    """Options of multiply-vectors."""

    length_tolerance: int = option(0, "Vectors whose lengths differ by no more frames are cut to the shortest")


def multiply_vectors(options: Options, first: str, second: str, third: str, *more: str) -> int:
    inputs = [first, second, third, *more]
    target = inputs.pop()
    if is_rspecifier(first):
        return combine_tables(
            FLOAT_VECTOR,
            inputs,
            target,
            lambda utterance, vectors: multiplied(vectors, options.length_tolerance, utterance),
        )
    try:
        product = multiplied([read_vector_file(name) for name in inputs], options.length_tolerance)
    except EntryError as error:
        log.warning(str(error))
        return 1
    write_vector_file(target, options.binary, product)
    log.info(f"Wrote multiplied vector to {target}")
    return 0


main = command(multiply_vectors, usage=USAGE)

if __name__ == "__main__":
    main()

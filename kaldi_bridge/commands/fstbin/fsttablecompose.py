"""nnet-pytorch-fsttablecompose: twin of fsttablecompose."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import FST, Fst, is_sorted, read_fst, write_fst
from kaldi_bridge.fsts.fstext import composed
from kaldi_bridge.fsts.openfst import OpenFst
from kaldi_bridge.io.specifiers import parse_rspecifier, parse_wspecifier
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter

USAGE = """Composes FSTs, fast where the left one (the right one, with --match-side=right) has many arcs out of a state.
Usage: nnet-pytorch-fsttablecompose [options] <fst1-rxfilename|fst1-rspecifier> <fst2-rxfilename|fst2-rspecifier>
 [<out-wxfilename|out-wspecifier>]
e.g.: nnet-pytorch-fsttablecompose L_disambig.fst G.fst LG.fst"""


@dataclass
class Options:
    """Options of fsttablecompose."""

    connect: bool = option(True, "If true, trim FST before output.")
    match_side: str = option("left", 'Side of composition to do table match, one of: "left" or "right".')
    compose_filter: str = option(
        "sequence", 'Composition filter to use, one of: "alt_sequence", "auto", "match", "sequence"'
    )


def fsttablecompose(options: Options, first: str, second: str, out: str = "") -> int:
    if options.match_side not in ("left", "right"):
        raise KaldiError(f"Invalid match-side option: {options.match_side}")
    if options.compose_filter not in ("alt_sequence", "auto", "match", "sequence"):
        raise KaldiError(f"Invalid compose-filter option: {options.compose_filter}")

    def made(one: Fst, other: Fst) -> Fst:
        if (options.match_side, options.compose_filter, options.connect) == ("left", "sequence", True):
            return composed(one, other)
        sides = OpenFst.of(one), OpenFst.of(other)
        return sides[0].composed(sides[1], options.match_side, options.compose_filter, options.connect).fst()

    tables = parse_rspecifier(first) is not None, parse_rspecifier(second) is not None
    if any(tables) != (parse_wspecifier(out) is not None):
        raise KaldiError("Incompatible combination of archives and files")
    if not any(tables):
        one, other = read_left(first), read_fst(second)
        if not is_sorted(other, "ilabel"):
            log.warning("The second FST is not ilabel sorted.")
        write_fst(out, made(one, other))
        return 0
    done = errors = 0
    if tables == (False, True) and options.match_side == "left":
        left = read_left(first)
        with SequentialReader(second, FST) as reader, TableWriter(out, FST) as writer:
            for key, fst in reader:
                writer.write(key, made(left, fst))
                done += 1
        log.info(f"Composed {done} FSTs.")
        return 0 if done else 1
    if tables != (True, True):
        raise KaldiError("this combination of tables, files and --match-side is not possible")
    with (
        SequentialReader(first, FST) as reader,
        RandomAccessReader(second, FST) as others,
        TableWriter(out, FST) as writer,
    ):
        for key, fst in reader:
            if key not in others:
                log.warning(f"No such key {key} in second table.")
                errors += 1
                continue
            result = made(fst, others[key])
            if result.num_states:
                writer.write(key, result)
                done += 1
            else:
                log.warning(f"Empty output for key {key}")
                errors += 1
    log.info(f"Successfully composed {done} FSTs, errors or empty output on {errors}")
    return 0


def read_left(name: str) -> Fst:
    fst = read_fst(name)
    if not is_sorted(fst, "olabel"):
        log.warning("The first FST is not olabel sorted.")
    return fst


main = command(fsttablecompose, usage=USAGE)

if __name__ == "__main__":
    main()

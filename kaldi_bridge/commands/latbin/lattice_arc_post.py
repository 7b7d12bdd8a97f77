"""nnet-pytorch-lattice-arc-post: twin of lattice-arc-post."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.hmm.transition_model import TransitionModel, read_transition_model
from kaldi_bridge.io.basic_io import format_float
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.text import encode
from kaldi_bridge.lattices.costs import scale
from kaldi_bridge.lattices.lattice import CompactLattice
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.lattices.posteriors import arc_posteriors
from kaldi_bridge.lattices.scale_options import ScaleOptions
from kaldi_bridge.tables import SequentialReader

USAGE = """Print the posterior of each arc of lattices, a line for each:
utterance, first frame, number of frames, posterior, word [, transition-ids] [, phones]
Usage: nnet-pytorch-lattice-arc-post [options] [<model>] <lattices-rspecifier> <output-wxfilename>
e.g.: nnet-pytorch-lattice-arc-post --acoustic-scale=0.1 final.mdl ark:aligned.lats post.txt
Phones are printed where there is a model. Align the words first (nnet-pytorch-lattice-align-words)."""


@dataclass
class Options(ScaleOptions):
    """Options of lattice-arc-post."""

    print_alignment: bool = option(False, "If true, print the transition-ids of each arc.")
    min_post: float = option(0.0001, "Arc posteriors below this value will be pruned away")


def _lines(key: str, lattice: CompactLattice, model: TransitionModel | None, options: Options) -> list[str]:
    lattice, posteriors, starts = arc_posteriors(scale(lattice, options.acoustic_scale, options.lm_scale))
    lines = []
    for arc, (posterior, start) in enumerate(zip(posteriors.tolist(), starts.tolist(), strict=True)):
        if posterior <= options.min_post:
            continue
        ids = lattice.strings[lattice.string_offsets[arc] : lattice.string_offsets[arc + 1]]
        fields = [key, start, len(ids), format_float(posterior, 6), lattice.arcs["label"][arc]]
        if options.print_alignment:
            fields.append(",".join(map(str, ids.tolist())))
        if model:
            ids = model.checked(ids)
            fields.append(" ".join(map(str, model.id_to_phone[ids[model.is_final[ids]]].tolist())))
        lines.append("\t".join(map(str, fields)) + "\n")
    return lines


def lattice_arc_post(options: Options, first: str, second: str, third: str = "") -> int:
    if options.acoustic_scale == 0.0:
        raise KaldiError("Do not use a zero acoustic scale (cannot be inverted)")
    model = read_transition_model(first) if third else None
    lattice_rspecifier, output = (second, third) if third else (first, second)
    done = errors = total = 0
    with SequentialReader(lattice_rspecifier, COMPACT_LATTICE) as lattices, open_output(output) as stream:
        for key, lattice in lattices:
            with within(f"{lattice_rspecifier}: lattice {key}"):
                lines = _lines(key, lattice, model, options)
            if lines:
                done += 1
            else:
                errors += 1
                log.warning(f"No posterior printed for {key}")
            total += len(lines)
            stream.write(encode("".join(lines)))
    log.info(
        f"Printed posteriors for {done} lattices ({errors} with errors); on average printed "
        f"{total // max(done, 1)} posteriors per lattice."
    )
    return 0 if done else 1


main = command(lattice_arc_post, usage=USAGE)

if __name__ == "__main__":
    main()

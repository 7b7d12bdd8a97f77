"""The end of a run: one model of many, and the directory that Kaldi's scripts decode with."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.text import encode
from kaldi_bridge.transforms.global_cmvn import read_global_stats, write_global_stats
from steps_pytorch.training.report.report import Report
from steps_pytorch.training.run.assembly import Assembly
from steps_pytorch.training.run.averaging import average_models, recompute_statistics
from steps_pytorch.training.run.checkpoints import Checkpoints
from steps_pytorch.training.run.input import input_of
from steps_pytorch.training.run.loop import validate
from steps_pytorch.training.run.options import Run

MINIBATCHES = 20  # of training data, for statistics and priors
BESIDE = ("tree", "phones.txt")


def tree_dir(run: Run) -> Path:
    """Where the transition model is: --tree-dir, else the targets. Raises KaldiError where there is none."""
    folder = Path(run.options.tree_dir or run.targets)
    if not (folder / "final.mdl").is_file():
        raise KaldiError(f"no such file {folder / 'final.mdl'}, whose transition model goes into the model: --tree-dir")
    return folder


def finish(
    assembly: Assembly,
    checkpoints: Checkpoints,
    report: Report | None = None,
    name: str = "final",
    iterations: Sequence[int] | None = None,
) -> None:
    """Averages, and writes ``name``.mdl and what decoding needs beside it. All processes of a group call it.

    ``iterations``: of which the models are averaged, instead of what the run's options say.

    Raises:
        KaldiError: a file cannot be read or written.
    """
    run, parts, group = assembly.run, assembly.parts, assembly.group
    loader = assembly.data.loader(assembly.shape, group, run.options.srand)
    batches = [batch.to(group.device) for batch in islice(loader, MINIBATCHES)]
    if parts.dropout:
        parts.dropout.apply(1.0)
    before = validate(parts.model, parts.objective, parts.valid, group)
    if parts.average and not iterations:
        parts.model.load_state_dict(parts.average.model_state())
        source = f"the moving average with decay {run.options.moving_average:g}"
    else:
        iterations = iterations or checkpoints.models()[-run.options.average_last :]
        if group.is_first:  # who may have them in a folder of its own
            average_models(parts.model, [checkpoints.load_model(iteration) for iteration in iterations])
        group.take_from_first(parts.model.state_dict().values())
        source = f"the average of iterations {', '.join(map(str, iterations))}"
    if group.number_of_first(bool(parts.average) or len(iterations or ()) > 1):
        recompute_statistics(parts.model, batches)
        group.average([value for value in parts.model.buffers() if value.is_floating_point()])
    after = validate(parts.model, parts.objective, parts.valid, group)
    parts.model.eval()
    parts.objective.estimate_priors(parts.model, batches)
    if not group.is_first:
        return
    write_model_directory(assembly, name)
    if report is not None:
        report.final(parts.loader.epochs, valid=after, last=before, model=f"{name}.mdl", source=source)
    _summarize(assembly, name, source, before, after)


def write_model_directory(assembly: Assembly, name: str) -> None:
    """``name``.mdl, cmvn_opts, frame_subsampling_factor, input.json, tree, phones.txt; global_cmvn.stats where used."""
    run, parts = assembly.run, assembly.parts
    source = tree_dir(run)
    parts.model.write_mdl(
        str(run.folder / f"{name}.mdl"), read_transition_model(str(source / "final.mdl")), parts.objective.priors()
    )
    texts = {
        "cmvn_opts": run.options.normalization,
        "frame_subsampling_factor": str(parts.model.frame_subsampling_factor),
    }
    if run.options.online_cmvn:
        stats = read_global_stats(run.options.cmvn_stats or run.data)
        write_global_stats(str(run.folder / "global_cmvn.stats"), stats)
        texts["online_cmvn"] = ""  # Kaldi's scripts look for a file of this name
    for file, text in texts.items():
        with open_output(str(run.folder / file)) as stream:
            stream.write(encode(f"{text}\n"))
    input_of(run, assembly.data).write(run.folder)
    for file in BESIDE:
        if (source / file).is_file() and source.resolve() != run.folder.resolve():
            shutil.copyfile(source / file, run.folder / file)


def _summarize(assembly: Assembly, name: str, source: str, before: dict[str, float], after: dict[str, float]) -> None:
    run = assembly.run
    scales = "--acwt 1.0 --post-decode-acwt 10.0 " if assembly.parts.objective.priors() is None else ""
    iteration = "" if name == "final" else f"--iter {name} "
    ivectors = "--online-ivector-dir <ivectors> " if assembly.data.ivector_dim else ""
    shown = ", ".join(f"{term} {value:.4f} (last iteration {before[term]:.4f})" for term, value in after.items())
    log.info(
        f"Wrote {run.folder / name}.mdl, {source}. Validation: {shown}. To decode:\n"
        f"  steps_pytorch/decode.sh {scales}{iteration}{ivectors}<graph> <data> {run.folder}/decode_test"
    )

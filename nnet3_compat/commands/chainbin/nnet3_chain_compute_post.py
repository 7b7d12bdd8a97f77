"""nnet-pytorch-chain-compute-post: twin of nnet3-chain-compute-post."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.basic_io import read_header
from kaldi_bridge.io.matrix_io import read_matrix
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.tables import TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from nnet3_compat.chain.denominator_graph import DenominatorGraph
from nnet3_compat.utterances.computation_options import (
    DeviceOptions,
    IvectorOptions,
    OptimizationOptions,
    SimpleComputationOptions,
)

USAGE = """Compute posteriors of pdfs, or of phones, from a chain model and its denominator graph.
Usage: nnet-pytorch-chain-compute-post [options] <nnet-in> <den-fst> <features-rspecifier> <matrix-wspecifier>
e.g.: nnet-pytorch-chain-compute-post --transform-mat=transform.mat final.raw den.fst scp:feats.scp ark:post.ark"""


@dataclass
class Options(SimpleComputationOptions, IvectorOptions, DeviceOptions, OptimizationOptions):
    """Options of nnet3-chain-compute-post."""

    acoustic_scale: float = option(1.0, "Factor of the outputs")
    leaky_hmm_coefficient: float = option(0.1, "Leaky-HMM coefficient; smaller values make more certain posteriors")
    transform_mat: str = option("", "Matrix [phones, pdfs] that makes posteriors of phones of those of pdfs")


def chain_compute_post(options: Options, nnet_in: str, den_fst_in: str, features: str, matrices: str) -> int:
    import torch

    from nnet3_compat.chain.denominator import denominator
    from nnet3_compat.utterances.compute_tables import Utterances
    from nnet3_compat.utterances.loading import load_computer

    computer = load_computer(nnet_in, options, options.use_gpu, None)
    num_pdfs = computer.model.output_dim
    graph = DenominatorGraph.read(den_fst_in, num_pdfs)
    transform = None
    if options.transform_mat:
        with open_input(options.transform_mat) as stream:
            transform = read_matrix(stream, read_header(stream))
        if transform.shape[1] != num_pdfs:
            raise KaldiError(f"{options.transform_mat} has {transform.shape[1]} cols, expected {num_pdfs}")
    utterances = Utterances(features, options)
    num_done = num_frames = 0
    total = 0.0
    with TableWriter(matrices, FLOAT_MATRIX) as writer:
        for key, output in computer.compute_many(iter(utterances)):
            scores = torch.from_numpy(output).unsqueeze(1)
            log_prob, posteriors = denominator(graph, scores, options.leaky_hmm_coefficient)
            if not (torch.isfinite(log_prob).all() and torch.isfinite(posteriors).all()):
                log.warning(f"Something went wrong for utterance {key}; forward-prob = {float(log_prob.sum()):g}")
                utterances.failed += 1
                continue
            made = posteriors[:, 0].numpy()
            writer.write(key, made if transform is None else made @ transform.T)
            num_done, num_frames, total = num_done + 1, num_frames + len(made), total + float(log_prob.sum())
    log.info(f"Processed {num_done} utterances, {utterances.failed} had errors.")
    average = total / (num_frames or float("nan"))
    log.info(f"Overall log-prob per (output) frame was {average:g} over {num_frames} frames.")
    return 0 if num_done else 1


main = command(chain_compute_post, usage=USAGE)

if __name__ == "__main__":
    main()

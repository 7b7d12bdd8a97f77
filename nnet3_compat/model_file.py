"""Deprecated: ``from nnet3_compat import read_model, read_nnet, write_model``."""

import warnings

from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.hmm.tree import read_tree
from nnet3_compat.model.model_file import read_any, read_model, read_nnet, write_model

__all__ = ["read_any", "read_model", "read_nnet", "read_transition_model", "read_tree", "write_model"]
warnings.warn("nnet3_compat.model_file has become nnet3_compat.model.model_file", DeprecationWarning, stacklevel=2)

"""xconfig files: networks described layer by layer, expanded into nnet3 config lines as Kaldi's scripts do."""

from nnet3_compat.xconfig.parser import parse_xconfig
from nnet3_compat.xconfig.writer import config_lines

__all__ = ["config_lines", "parse_xconfig"]

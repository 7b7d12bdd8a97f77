"""The C++ extension: search, lattice determinization, epsilon removal."""

try:
    from kaldi_bridge import _csrc  # type: ignore[attr-defined]
except ImportError as error:  # pragma: no cover - depends on how it was installed
    raise ImportError(
        "kaldi_bridge's C++ extension is not built: install nnet-pytorch where there is a C++ compiler "
        "(or run `python setup.py build_ext --inplace` in a checkout)"
    ) from error

__all__ = ["_csrc"]

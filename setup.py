"""Builds the C++ extensions; everything else is in setup.cfg."""

from glob import glob

from pybind11.setup_helpers import Pybind11Extension, build_ext
from setuptools import setup


def extension(package: str) -> Pybind11Extension:
    """package._csrc of all sources in the package's csrc/. It may fail to build: what needs it says so when it does."""
    folder = package.replace(".", "/") + "/csrc"
    made = Pybind11Extension(
        f"{package}._csrc",
        sorted(glob(f"{folder}/*.cc")),
        depends=sorted(glob(f"{folder}/*.h")),
        cxx_std=17,
        extra_compile_args=["-O3", "-g0", "-pthread", "-Wno-psabi"],
        extra_link_args=["-pthread"],
    )
    made.optional = True
    return made


setup(
    ext_modules=[extension("kaldi_bridge"), extension("nnet3_compat.chain")],
    cmdclass={"build_ext": build_ext},
)

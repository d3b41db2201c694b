"""A recipe for Spack: spack repo add cmake/spack && spack install weft

It is read by the tests (tests/consumer/recipes.py), and built by nobody's tests.
"""
from spack.package import *


class Weft(CMakePackage):
    """Task graphs over chunked arrays, tables and plain C++ functions, from one thread to an MPI job."""

    # Of the tree that this recipe lies in: spack dev-build weft@main, or spack develop.
    version("main", branch="main")

    variant("mpi", default=True, description="Start jobs of several ranks by MPI")
    variant("ucx", default=True, description="Use UCX between nodes with a fast network")
    variant("tls", default=True, description="Encrypted links between the processes of a job")
    variant("hwloc", default=True, description="Bind workers by the topology of the machine")
    variant("arrays", default=True, description="Files of arrays: HDF5, codecs, Kokkos kernels")
    variant("command", default=True, description="The weft command")

    depends_on("cxx", type="build")
    depends_on("cmake@3.20:", type="build")
    depends_on("fmt")
    depends_on("cli11", when="+command")
    depends_on("mpi", when="+mpi")
    depends_on("ucx@1.13:", when="+ucx")
    depends_on("openssl@3:", when="+tls")
    depends_on("hwloc@2:", when="+hwloc")
    with when("+arrays"):
        depends_on("kokkos@3.4:5")
        depends_on("hdf5@1.10.5: +hl")
        depends_on("zstd")
        depends_on("lz4")
        depends_on("libdeflate")
        depends_on("c-blosc")
        depends_on("libaec")
        depends_on("openblas")

    conflicts("%gcc@:10", msg="weft is written in C++20")

    def cmake_args(self):
        return [
            self.define_from_variant("WEFT_WITH_MPI", "mpi"),
            self.define_from_variant("WEFT_UCX", "ucx"),
            self.define_from_variant("WEFT_TLS", "tls"),
            self.define_from_variant("WEFT_WITH_HWLOC", "hwloc"),
            self.define_from_variant("WEFT_BUILD_COMMAND", "command"),
            self.define("WEFT_BUILD_TESTS", False),
            self.define("WEFT_BUILD_BENCH", False),
            self.define("WEFT_BUILD_EXAMPLES", False),
        ]

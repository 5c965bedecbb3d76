"""Builds the compiled twin of `native`. Metadata is in pyproject.toml, data files are in MANIFEST.in."""

from setuptools import Extension, find_packages, setup

# Hidden symbols: a process that also loads OpenSSL or a miner's library must not mix up their sha256_*. No fused
# multiplication and addition: their last bit is another than Python's.
FLAGS = ["-O3", "-std=gnu11", "-fvisibility=hidden", "-ffp-contract=off"]

setup(
    # Named because setuptools refuses to guess among several top-level folders, and must not install tests/.
    packages=find_packages(include=["native*", "pool*", "stratum*", "payout*"]),
    # MANIFEST.in takes whole folders; these sources are needed to build, not to run.
    exclude_package_data={"native": ["*.c", "*.pyx"], "pool.dashboard": ["frontend/*", "frontend/**/*"]},
    ext_modules=[
        Extension(
            "native.compiled",
            sources=[
                "native/compiled.pyx",
                "native/sha256.c",
                "native/sha256_portable.c",
                "native/sha256_ni.c",
            ],
            depends=["native/compiled.pxd", "native/sha256.h"],
            extra_compile_args=FLAGS,
        ),
        *(
            Extension(
                f"native.{name}",
                sources=[f"native/{name}.pyx"],
                depends=["native/exact.h", "native/figures.pxd", "native/records.pxd", "native/sums.pxd"],
                extra_compile_args=FLAGS,
            )
            for name in ("lines", "parts", "runs", "seen", "sums", "totals")
        ),
    ],
)

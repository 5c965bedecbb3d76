"""What is built and installed. Metadata is in pyproject.toml; what the source archive holds, in MANIFEST.in."""

from pathlib import Path

from setuptools import Extension, find_packages, setup

# Hidden symbols: a process that also loads OpenSSL or a miner's library must not mix up their sha256_*. No fused
# multiplication and addition: their last bit is another than Python's. No debugging symbols: they name the folder of
# the build, and two builds of one source would differ.
FLAGS = ["-O3", "-std=gnu11", "-fvisibility=hidden", "-ffp-contract=off", "-g0"]


def files(place: str, *patterns: str) -> tuple[str, list[str]]:
    """Files of the checkout, and the folder of the environment that they are installed to."""
    return place, sorted(str(path) for pattern in patterns for path in Path().glob(pattern))


setup(
    # Named because setuptools refuses to guess among several top-level folders, and must not install tests/.
    packages=find_packages(include=["native*", "pool*", "stratum*", "payout*"]),
    # MANIFEST.in takes what builds and tests; of that, this is needed to run.
    include_package_data=False,
    package_data={"": ["py.typed"], "pool.dashboard": ["static/*"]},
    data_files=[
        files("share/doc/steppe", "README.md", "CHANGELOG.md"),
        files("share/doc/steppe/docs", "docs/*.md", "docs/*.py"),
        files("share/doc/steppe/docs/decisions", "docs/decisions/*.md"),
        files("share/doc/steppe/docs/images", "docs/images/*"),
        files("share/steppe/grafana", "docker/grafana/*.json"),
        files("share/steppe/prometheus", "docker/prometheus/alerts.yml"),
        files("share/steppe/systemd", "systemd/*"),
    ],
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
                depends=[
                    f"native/{each}" for each in ("arrays.pxd", "exact.h", "figures.pxd", "records.pxd", "sums.pxd")
                ],
                extra_compile_args=FLAGS,
            )
            for name in ("flow", "lines", "parts", "runs", "seen", "sums", "totals")
        ),
    ],
)

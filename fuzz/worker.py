"""One run of atheris over one target; started by `python -m fuzz`, which reads what libFuzzer prints."""

import resource
import sys

import atheris

PACKAGES = ["archspec", "archspec_keras", "archspec_onnx", "archspec_torch"]
with atheris.instrument_imports(include=PACKAGES, enable_loader_override=False):
    from fuzz.targets import mutated, target, tried

    target(sys.argv[1])


def main() -> None:
    """`python -m fuzz.worker TARGET MEMORY [libFuzzer's arguments]`: so many MiB over what it takes at the start."""
    name, memory = sys.argv.pop(1), int(sys.argv.pop(1))
    taken = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    sys.argv.append(f"-rss_limit_mb={taken + memory}")

    def one(data: bytes) -> None:
        tried(name, data)

    def mutator(data: bytes, longest: int, seed: int) -> bytes:
        # some of the time as libFuzzer does it, which knows nothing and so leaves nothing out
        return atheris.Mutate(data, longest) if seed % 4 == 0 else mutated(name, data, longest, seed)

    atheris.Setup(sys.argv, one, custom_mutator=mutator)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

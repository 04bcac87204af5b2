"""One run of atheris over one target; started by `python -m fuzz`, which reads what libFuzzer prints."""

import sys

import atheris

with atheris.instrument_imports(include=["archspec"], enable_loader_override=False):
    from fuzz.mutate import mutated
    from fuzz.targets import tried


def main() -> None:
    """`python -m fuzz.worker TARGET [libFuzzer's arguments]`."""
    target = sys.argv.pop(1)

    def one(data: bytes) -> None:
        tried(target, data)

    def mutator(data: bytes, longest: int, seed: int) -> bytes:
        # half of the time as libFuzzer does it, which knows nothing and so leaves nothing out
        return atheris.Mutate(data, longest) if seed % 2 else mutated(data, longest, seed)

    atheris.Setup(sys.argv, one, custom_mutator=mutator)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

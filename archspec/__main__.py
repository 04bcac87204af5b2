"""The program `archspec`, and `python -m archspec`: quiet when it is interrupted before anything else is imported."""

import signal


def main() -> None:
    """The entry point. Until `archspec.cli` can end in order, an interruption ends the process by the signal itself."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from archspec.cli import main as command_line

    command_line()


if __name__ == "__main__":
    main()

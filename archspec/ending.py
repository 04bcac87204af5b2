"""A process that is asked to end (SIGTERM), as an exception: what it holds is given up on the way out."""

import signal


class Ended(SystemExit):
    """Not a `SystemExit` that somebody else's code raises, which says that this code does not work."""

    def __init__(self) -> None:
        super().__init__(128 + signal.SIGTERM)

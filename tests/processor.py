"""What work takes, by the processor: a clock would also count the work of others on a busy machine."""

import resource
import time


def seconds() -> float:
    """What this process has taken so far, and those that it started and waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime

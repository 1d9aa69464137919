"""Whether this process is about to stop: then it is not ready for new work, while it still answers what comes."""

_is_draining = False


def begin() -> None:
    """Callable from a signal handler: it takes no lock and cannot fail."""
    global _is_draining
    _is_draining = True


def is_draining() -> bool:
    return _is_draining


def reset() -> None:
    """For tests, whose process goes on."""
    global _is_draining
    _is_draining = False

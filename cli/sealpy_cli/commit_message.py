"""The message of ``--commit``, which ``--push`` and ``--retries`` go with."""

from sealpy_cli.exit_codes import CONFLICT, Stop


def require(message: str | None, *, push: bool, retries: int | None) -> None:
    """Refuse options that make no commit, before anything is done; ``message`` is None without ``--commit``.

    Raises:
        Stop
    """
    if message is None and (push or retries is not None):
        raise Stop(CONFLICT, "--push and --retries need --commit", hint="give the commit a message: --commit MSG")
    if message is not None and not message.strip():
        raise Stop(CONFLICT, "the message of the commit is empty", hint="say what it is for: --commit MSG")

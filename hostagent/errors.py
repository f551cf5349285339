"""The one tree of errors. Every message names the thing, the reason and the next step in one line."""


class HostagentError(Exception):
    """Base of all errors that hostagent raises on purpose.

    ``retryable`` says whether the same call may succeed later without anybody changing anything.
    """

    retryable = False


class ConfigError(HostagentError):
    """The configuration is wrong; ``problems`` holds every fault found, each as ``file:key: reason``."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class SourceError(HostagentError):
    """A daemon or file could not be read."""

    retryable = True


class DeadlineError(SourceError):
    """The other side did not answer in time."""


class ActError(HostagentError):
    """A change of the host failed; nothing after it was attempted."""


class ChangedError(ActError):
    """A row is no longer what the plan was decided on: look again and decide anew."""

    retryable = True


class RefusedError(ActError):
    """The change is not allowed now (lock, stop file, host moved on); nothing was touched."""


class JournalError(ActError):
    """The journal can't be written or read: nothing may be changed without it."""


class CheckError(HostagentError):
    """A check's file can't be trusted or loaded."""

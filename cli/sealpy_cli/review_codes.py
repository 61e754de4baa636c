"""How the verbs of review end. A script must be able to tell "changed" from "not to be trusted" from "not readable".

    0   ran; nothing differs, or nobody asked (--exit-code)
    1   something differs, and --exit-code was given
    2   a wrong word on the command line, a name git does not know, no repository, contents that the clone lacks
    3   findings of the policy (review and check)
    4   something could not be decrypted, and --require-decrypt was given
    5   a MAC that does not fit, a value that does not open, metadata cut short, a part that does not fit: always
    70  a fault of ours

Where several hold, the first of 2, 70, 5, 3, 4, 1 counts.
"""

from sealpy.changeset import Totals

SAME = 0
DIFFERENT = 1
UNUSABLE = 2
NOT_DECRYPTED = 4
BROKEN = 5
FAILED = 70


def code_of(totals: Totals, *, exit_code: bool, require_decrypt: bool) -> int:
    """Return the exit code of a report that was written to its end."""
    if totals.missing:
        return UNUSABLE
    if totals.failed:
        return FAILED
    if totals.broken:
        return BROKEN
    if require_decrypt and totals.closed:
        return NOT_DECRYPTED
    return DIFFERENT if exit_code and totals.differ else SAME

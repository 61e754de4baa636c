"""What a MAC says without a key: one that stayed, over other values, fits one of the two versions at most.

sops and sealpy write a new MAC with every change of a value, and a new nonce makes it another text.
"""

from sealpy.changeset import Fault
from sealpy.comparison.sides import Side
from sealpy.mac_coverage import covered

_SHOWN = 3


def doubt(old: Side, new: Side) -> Fault | None:
    """Return what is wrong with the new version of a file that no key here opens; None if nothing can be said."""
    if new.mac != "unchecked" or old.document is None or new.document is None:
        return None
    before, after = old.metadata, new.metadata
    if before is None or after is None or before.mac != after.mac:
        return None
    if any(fault.kind == "value" for fault in new.faults):
        return None  # said more exactly
    if (before.selection, before.mac_only_encrypted) != (after.selection, after.mac_only_encrypted):
        return None
    one, other = covered(old.document, before), covered(new.document, after)
    if [leaf.content for leaf in one] == [leaf.content for leaf in other]:
        if before.mac_additional_data() == after.mac_additional_data():
            return None
        return Fault("new", "mac", "sops.lastmodified was edited, and the MAC does not open with another")
    there, here = ({(leaf.document, *leaf.path): leaf.content for leaf in leaves} for leaves in (one, other))
    names = [_name(path) for path in {**there, **here} if there.get(path) != here.get(path)]
    what = f"{', '.join(names[:_SHOWN])}{f' and {len(names) - _SHOWN} more' if len(names) > _SHOWN else ''}"
    return Fault(
        "new",
        "mac",
        f"edited without its key: the MAC is that of before, and does not fit {what or 'the order of its values'}",
    )


def _name(path: tuple[object, ...]) -> str:
    return ".".join(map(str, path[1:]))

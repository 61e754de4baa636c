"""The page about ``sealpy check`` lists what can be found."""

import re

from sealpy.checking.findings import KINDS
from tests import places


def test_every_finding_stands_in_the_table_as_it_is() -> None:
    page = (places.ROOT / "docs" / "check.md").read_text()
    rows = re.findall(r"^\| (SP\d+) \| (\w+) \| (.*) \|$", page, re.MULTILINE)
    assert rows == [(name, kind.severity, kind.title) for name, kind in KINDS.items()]

"""The nodes that go-yaml builds, as far as comments need them, and where sops' tree has their comments.

A node has comments at its head, on its line and at its foot. While nodes are built, feet move: the foot of a key
becomes that of the pair before, the foot of a value its key's, the foot of a block mapping its last key's. A foot that
moves replaces the one that is there, which is lost, as are the comments inside a key.

In sops' tree a node's head and line stand before it and its foot behind it, in the collection around it. Only a map
or list that is a value in a map, or the root, keeps its own inside itself. Of a value that is neither, the comments
before it stand before the whole pair.
"""

from collections.abc import Sequence

from sealpy.formats.yaml_comments.groups import BLANK_LINE, NOTHING, Lines, Parts

Placed = tuple[int, int, int, int, bool, int, bool]
"""Where a comment goes: sort and order (sorted by both, comments are in tree order), the comment's number, the start
of its collection (-1: none), whether that is a list, the document, whether sops keeps the comment."""

RESUMABLE_DEPTH = 50
"""How deep reading may stop and resume: what is around must be rebuilt each time."""


class Collection:
    """An open map or list; below them all the document, which is neither."""

    __slots__ = (
        "at_key", "bare", "block", "column", "head", "indentless", "is_list", "key_foot", "key_order", "key_sort",
        "last_foot", "last_order", "last_sort", "lost", "order", "sort", "start", "used",
    )  # fmt: skip

    def __init__(self, start: int, column: int, *, is_list: bool, block: bool, bare: bool = True) -> None:
        self.start = start
        self.column = column
        self.is_list = is_list
        self.block = block
        self.bare = bare
        """Can reading resume in it? Not in flow, in a key, behind an anchor or a tag, or very deep."""
        self.indentless = False
        self.lost = False
        """Is it a key, or in one?"""
        self.used = False
        """Has it an item yet?"""
        self.head: Lines = []
        self.sort = start
        self.order = 0
        # What a map knows of its pairs: is a key next; the key that waits for its value; the foot of the last pair.
        self.at_key = not is_list
        self.key_sort = self.key_order = 0
        self.key_foot: Lines = []
        self.last_foot: Lines = []
        self.last_sort = self.last_order = 0


class Nodes:
    """Takes nodes as they begin and end, and places their comments."""

    __slots__ = ("_document_head", "_last", "_open", "_order", "document", "placed")

    def __init__(self) -> None:
        self.placed: list[Placed] = []
        self.document = -1
        self._order = 0
        self._last = -1
        """The start of the last leaf."""
        self._open: list[Collection] = []
        self._document_head: Lines = []

    def resume(self, collections: Sequence[Collection], last: int, document: int) -> None:
        """Go on before a further item of the last of these open collections; no comment is on its way."""
        self._last = last
        self.document = document
        root = collections[0]
        self._open = [_document(root.start, is_list=root.is_list), *collections]
        for collection in collections:
            collection.used = True
            collection.at_key = False
        current = collections[-1]
        current.at_key = not current.is_list
        current.last_sort = last + 1
        current.last_order = self._tick()

    @property
    def open(self) -> Sequence[Collection]:
        """The open collections, the root first."""
        return self._open[1:]

    @property
    def last(self) -> int:
        """Where the last leaf begins."""
        return self._last

    def begin_document(self, head: Lines) -> None:
        self.document += 1
        self._document_head = head
        self._open = [_document(-1, is_list=False)]

    def end_document(self, parts: Parts) -> None:
        """Place what follows the root. A head, which has nothing to stand before, is a foot unless there is one."""
        document = self._open[0]
        head, line, foot = parts
        self._drop(line, document)
        if foot:
            self._drop(head, document)
        self._place(foot or head, document, self._last + 1, self._tick())

    def leaf(self, start: int, parts: Parts) -> bool:
        """Add a scalar or an alias; say whether it is a further key or item of a block."""
        collection = self._open[-1]
        sort = start if start > self._last else self._last + 1
        if collection.at_key:
            further = collection.used
            self._key(collection, sort, self._tick(), parts)
            return further
        self._last = start
        if parts is NOTHING and not collection.is_list and not self._document_head:
            # The most frequent case: a value without comments.
            self._end_pair(collection, [])
            return False
        head, line, foot = parts
        order = self._tick()
        if collection.is_list:
            further = collection.used
            collection.used = True
            self._place(head, collection, sort, order)
            self._place(line, collection, sort, order)
            self._place(foot, collection, start + 1, self._tick())
            return further
        if len(self._open) == 1:
            self._place(self._document_head, collection, sort, 0)
            self._place(head, collection, sort, order)
            self._place(line, collection, sort, order)
            self._drop(foot, collection)
            return False
        self._place(head, collection, collection.key_sort, collection.key_order)
        self._place(line, collection, collection.key_sort, collection.key_order)
        if foot and collection.key_foot:
            self._place(foot, collection, start + 1, self._tick())
            foot = []
        self._end_pair(collection, foot)
        return False

    def enter(self, start: int, column: int, head: Lines, *, is_list: bool, block: bool, bare: bool) -> Collection:
        """Begin a collection."""
        around = self._open[-1]
        lost = around.lost or around.at_key
        bare = bare and block and around.bare and not lost and len(self._open) <= RESUMABLE_DEPTH
        collection = Collection(start, column, is_list=is_list, block=block, bare=bare)
        collection.sort = start if start > self._last else self._last + 1
        collection.order = self._tick()
        collection.lost = lost
        if len(self._open) == 1:
            # The document's own comments stand in its root.
            around.start, around.is_list = start, is_list
            self._place(self._document_head, around, collection.sort, 0)
            self._document_head = []
        self._open.append(collection)
        if around.at_key:
            collection.head = head
        else:
            self._place(head, self._home(collection, around), collection.sort, collection.order)
        return collection

    def leave(self, parts: Parts) -> None:
        """End the collection that began last. What was due for its head has nothing left to stand before."""
        collection = self._open.pop()
        head, line, foot = parts
        self._drop(head, collection)
        self._last = max(self._last, collection.start)
        if not collection.is_list and collection.used:
            if collection.block and foot:
                self._replace_last_foot(collection, foot)
                foot = []
            self._place(collection.last_foot, collection, collection.last_sort, collection.last_order)
        around = self._open[-1]
        if around.at_key:
            self._key(around, collection.sort, collection.order, (collection.head, line, foot))
            return
        home = self._home(collection, around)
        self._place(line, home, collection.sort, collection.order)
        if around.is_list or around is self._open[0] or around.key_foot:
            self._place(foot, home, self._last + 1, self._tick())
            foot = []
        if around.is_list or around is self._open[0]:
            around.used = True
        else:
            self._end_pair(around, foot)

    @property
    def idle(self) -> bool:
        """Is the place of every comment known that was handed over?"""
        return not any(collection.key_foot for collection in self._open)

    def _home(self, collection: Collection, around: Collection) -> Collection:
        """Return which of the two has the inner one's comments: itself, unless what is around it asks for them."""
        return around if around.is_list and around is not self._open[0] else collection

    def lose(self, lines: Lines) -> None:
        """Give up comments that no node takes."""
        self._drop(lines, self._open[-1])

    def _key(self, collection: Collection, sort: int, order: int, parts: Parts) -> None:
        head, line, foot = parts
        if foot and collection.block and collection.used:
            self._replace_last_foot(collection, foot)
            foot = []
        if collection.last_foot:
            self._place(collection.last_foot, collection, collection.last_sort, collection.last_order)
            collection.last_foot = []
        self._place(head, collection, sort, order)
        self._place(line, collection, sort, order)
        collection.key_sort = sort
        collection.key_order = order
        collection.key_foot = foot
        collection.at_key = False

    def _end_pair(self, collection: Collection, foot: Lines) -> None:
        if len(self._open) == 1:
            return
        collection.last_foot = collection.key_foot or foot
        collection.last_sort = self._last + 1
        collection.last_order = self._tick()
        collection.at_key = True
        collection.used = True

    def _replace_last_foot(self, collection: Collection, foot: Lines) -> None:
        self._drop(collection.last_foot, collection)
        collection.last_foot = foot

    def _place(self, lines: Lines, collection: Collection, sort: int, order: int) -> None:
        for comment in lines:
            if comment != BLANK_LINE:
                self.placed.append(
                    (
                        sort,
                        order,
                        comment,
                        collection.start,
                        collection.is_list,
                        self.document,
                        not collection.lost,
                    )
                )

    def _drop(self, lines: Lines, collection: Collection) -> None:
        for comment in lines:
            if comment != BLANK_LINE:
                self.placed.append((-1, 0, comment, collection.start, collection.is_list, self.document, False))

    def _tick(self) -> int:
        self._order += 1
        return self._order


def _document(start: int, *, is_list: bool) -> Collection:
    document = Collection(start, 0, is_list=is_list, block=True)
    document.at_key = False
    return document

"""One round: from the branch's last commit to the target.

    fetch → list → open → plan → write → remove

Nothing is removed unless all before it went well. Of what cannot be opened, or is claimed twice, what runs stays.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from sealpy.errors import SealpyError
from sealpy.keyring import Keyring
from sealpy.project import EMPTY
from sealpy_controller import desired, manifest_files, names
from sealpy_controller.apply import Application, Origin
from sealpy_controller.backoff import Retries
from sealpy_controller.desired import Desired
from sealpy_controller.directory import Directory
from sealpy_controller.faults import Fault, of_error
from sealpy_controller.git import Stopped
from sealpy_controller.inventory import Inventory
from sealpy_controller.objects import Object, Wanted
from sealpy_controller.plan import Action, Plan, plan
from sealpy_controller.source import MAX_FILE, File, Source


class Found(NamedTuple):
    """What the source holds, as far as it could be opened. ``objects`` aside, it is for the report."""

    objects: Sequence[Desired] = ()
    faults: Sequence[Fault] = ()
    in_clear: Sequence[Object] = ()
    """Secrets with a value that stands there for everybody to read."""
    files: int = 0
    """Files with objects in them."""
    skipped: int = 0
    """Files without."""
    links: int = 0
    kustomizations: int = 0
    remarks: Sequence[str] = ()
    """What people should know of these files."""


class Outcome(NamedTuple):
    """What came of a round. No values are in it: nobody needs them until the next one.

    ``actions`` are those that were carried out, or in a dry run would be, and those that leave things alone. A round
    that is ``fatal`` did not come to a plan, and touched nothing.
    """

    commit: str
    actions: Sequence[Action]
    faults: Sequence[Fault]
    found: Found = Found()
    fatal: bool = False
    stopped: bool = False
    """Somebody asked to stop before all of it was carried out."""


class Rounds:
    """One source brought to one folder, again and again."""

    def __init__(
        self,
        source: Source,
        target: Directory,
        keys: Callable[[Callable[[str], str]], Keyring],
        retries: Retries,
        stop: Callable[[], bool],
        *,
        allow_prune: bool,
        dry_run: bool,
    ) -> None:
        """``keys`` is called in each round, for they may have changed, with what writes a recipient by its name."""
        self._source = source
        self._names = ("", EMPTY)
        """The names that hold in a commit."""
        self._target = target
        self._keys = keys
        self._retries = retries
        self._stop = stop
        self._allow_prune = allow_prune
        self._dry_run = dry_run

    def run(self, inventory: Inventory) -> Outcome:
        """Do a round.

        Raises:
            Stopped: somebody asked for it before anything was touched.
        """
        commit = ""
        found = Found()
        try:
            commit = self._source.commit()
            found = self._find(commit, {entry.file for entry in inventory.entries.values()})
        except SealpyError as error:
            return Outcome(commit, (), [of_error(error, reason="SourceNotReady")], fatal=True)
        told = found._replace(objects=())
        try:
            objects, duplicates = desired.merge(found.objects)
            wanted = {each: Wanted(inventory.digest(each, one.values), one.file) for each, one in objects.items()}
            faults = [*found.faults, *duplicates]
            planned = self._plan(inventory, wanted, faults)
            faults += planned.held
            if self._dry_run:
                return Outcome(commit, planned.actions, faults, told)
            application = Application(inventory, self._target, Origin(self._source.name, commit), self._stop)
            application.carry_out(planned, {each: one.values for each, one in objects.items()}, wanted)
            return Outcome(commit, application.done, [*faults, *application.failed], told, stopped=application.stopped)
        except SealpyError as error:
            fault = of_error(error, reason="TargetNotReady")
        return Outcome(commit, (), [*found.faults, fault], told, fatal=True)

    def _find(self, commit: str, known: set[str]) -> Found:
        """Open the files of a commit. A file that is ``known`` to have held objects is looked at in any case."""
        listing = self._source.files(commit)
        objects: list[Desired] = []
        faults: list[Fault] = []
        remarks: list[str] = []
        kustomizations: dict[str, dict[str, str]] = {}
        if self._names[0] != commit:
            self._names = (commit, names.read(self._source, commit))
        keyring = self._keys(self._names[1].shown)
        files = 0
        doubtful: list[Fault] = []
        for file, data in self._source.contents(self._due(listing.files, faults)):
            if self._stop():
                raise Stopped
            if manifest_files.is_kustomization(file.path):
                kustomizations[file.path] = manifest_files.transforming_fields(data or b"")
                continue
            if data is None and file.path not in known:
                remarks.append(f"{file.path} is too large to hold a Secret, and was left alone")
                continue
            if data is not None and file.path not in known and not manifest_files.may_hold_object(data):
                doubtful.append(_no_part(file))
                continue
            read = _too_large(file) if data is None else desired.read_file(file.path, data, keyring)
            if isinstance(read, Fault):
                if read.reason == "MalformedDocument" and file.path not in known and not _meant(data):
                    doubtful.append(read)
                    continue
                faults.append(read)
                self._retries.failed(file.path, file.blob, read)
            else:
                objects += read
                files += bool(read)
                if not read:
                    doubtful.append(_no_part(file))
                self._retries.succeeded(file.path)
        paths = {file.path for file in listing.files}
        self._retries.keep(paths)
        faults += desired.of_parts(doubtful, objects, paths)
        failed = len(faults)
        faults += desired.of_links(listing.links, objects)
        objects, faults = desired.with_parts(objects, faults, paths, known)
        in_clear = [one for one in objects if one.in_clear]
        remarks += [_in_clear(one) for one in in_clear]
        remarks += [remark for path, fields in kustomizations.items() for remark in _ignored(path, fields, objects)]
        skipped = len(listing.files) - files - failed
        return Found(
            objects,
            faults,
            [one.object for one in in_clear],
            files,
            skipped,
            len(listing.links),
            len(kustomizations),
            remarks,
        )

    def _due(self, files: Sequence[File], faults: list[Fault]) -> list[File]:
        """Return the files to look at; of those that it is too early to try again, add what was wrong with them."""
        due: list[File] = []
        for file in files:
            earlier = self._retries.waiting(file.path, file.blob)
            if earlier is not None:
                faults.append(earlier)
            elif manifest_files.is_manifest(file.path) or manifest_files.is_kustomization(file.path):
                due.append(file)
        return due

    def _plan(self, inventory: Inventory, wanted: Mapping[Object, Wanted], faults: Sequence[Fault]) -> Plan:
        concerned = {*wanted, *inventory.entries}
        if not self._dry_run:
            self._target.sweep(concerned)
        return plan(
            self._target.observe(concerned, inventory.digest_of),
            wanted,
            inventory.entries,
            source=self._source.name,
            faults=faults,
            allow_prune=self._allow_prune,
        )


def _meant(data: bytes | None) -> bool:
    # A patch is a list, a template is hardly YAML: neither is a broken manifest.
    return data is None or manifest_files.resembles_object(data)


def _no_part(file: File) -> Fault:
    return Fault(
        "MalformedDocument",
        "stands where a part belongs, and holds no Secret and no ConfigMap",
        "put what is no part into another folder",
        (file.path,),
    )


def _too_large(file: File) -> Fault:
    return Fault(
        "LimitExceeded",
        f"the file is larger than {MAX_FILE // 2**20} MiB",
        "a Secret of Kubernetes holds at most 1 MiB; split the file",
        (file.path,),
    )


def _in_clear(one: Desired) -> str:
    return (
        f"{one.object} stands in clear in {one.file}: whoever reads the repository reads it; "
        "encrypt it, and change its values"
    )


def _ignored(path: str, fields: Mapping[str, str], objects: Sequence[Desired]) -> list[str]:
    """Say which fields of a kustomization have no effect here, if they would have one."""
    folder = path.rpartition("/")[0]
    beside = {one.object.namespace for one in objects if one.file.rpartition("/")[0] == folder}
    names = [name for name in sorted(fields) if name != "namespace" or not beside <= {fields[name]}]
    if not names:
        return []
    return [f"{path}: kustomize is not run, so {', '.join(names)} there has no effect here"]

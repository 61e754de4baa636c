"""Whole rounds, with real repositories and real sealed files."""

import base64
import io
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sealpy_controller import backoff, directory
from sealpy_controller.run import Stop
from sealpy_controller.source import Source
from tests.conftest import AgeKey
from tests.controller.conftest import Ended, Place, config_map, secret

FILES = ("k8s/db.yaml", "k8s/app/secret.yaml", "k8s/app/config.yaml")


@pytest.fixture
def running(place: Place) -> Place:
    """Return a place where three objects run."""
    place.commit(
        {
            "k8s/db.yaml": place.seal(secret("db", password="hunter2", user="admin")),
            "k8s/app/secret.yaml": place.seal(secret("app", token="s3cret")),
            "k8s/app/config.yaml": config_map("app", level="info"),
            "k8s/app/release.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app\n",
            "k8s/app/kustomization.yaml": "resources: [secret.yaml, config.yaml]\n",
        }
    )
    ended = place.reconcile()
    assert (ended.code, len(ended.actions)) == (0, 3)
    return place


ALL = {
    "prod/configmaps/app/level": "info",
    "prod/secrets/app/token": "s3cret",
    "prod/secrets/db/password": "hunter2",
    "prod/secrets/db/user": "admin",
}


def test_the_first_round_creates_everything(place: Place) -> None:
    commit = place.commit(
        {
            "k8s/db.yaml": place.seal(secret("db", password="hunter2", user="admin")),
            "k8s/kustomization.yaml": "resources: []\n",
        }
    )

    ended = place.reconcile()

    assert ended.code == 0
    assert place.served() == {"prod/secrets/db/password": "hunter2", "prod/secrets/db/user": "admin"}
    assert ended.documents == [
        {
            "schema": "sealpy.reconcile/1",
            "source": str(place.repository),
            "ref": "main",
            "path": "k8s",
            "to": str(place.target),
            "dry_run": False,
            "commit": commit,
            "converged": True,
            "actions": [
                {
                    "action": "create",
                    "namespace": "prod",
                    "kind": "Secret",
                    "name": "db",
                    "file": "k8s/db.yaml",
                    "keys": {"added": ["password", "user"]},
                }
            ],
            "faults": [],
            "in_clear": [],
            "counts": {"unchanged": 0, "files": 1, "skipped": 1, "kustomizations": 1, "links": 0},
            "retry_in": None,
        }
    ]
    lines = [line for line in ended.err.splitlines() if "tmpfs" not in line]
    assert lines == [
        "sealpy: created Secret prod/db from k8s/db.yaml: +password, +user",
        f"sealpy: main at {commit[:10]}: 1 created; 1 file left alone",
    ]


def test_nothing_is_written_when_nothing_changed(running: Place) -> None:
    before = {path: path.stat(follow_symlinks=False).st_mtime_ns for path in running.target.rglob("*")}

    ended = running.reconcile()

    assert (ended.code, ended.actions) == (0, [])
    assert {path: path.stat(follow_symlinks=False).st_mtime_ns for path in running.target.rglob("*")} == before


def test_what_changed_on_the_branch_is_applied(running: Place) -> None:
    running.commit(
        {
            "k8s/db.yaml": running.seal(secret("db", password="hunter3", login="admin")),
            "k8s/new.yaml": running.seal(secret("new", "qa", token="x")),
            "k8s/app/config.yaml": None,
        }
    )

    ended = running.reconcile()

    assert ended.code == 0
    assert ended.actions == [("prune", "app"), ("update", "db"), ("create", "new")]
    assert running.served() == {
        "prod/secrets/app/token": "s3cret",
        "prod/secrets/db/login": "admin",
        "prod/secrets/db/password": "hunter3",
        "qa/secrets/new/token": "x",
    }
    assert "updated Secret prod/db from k8s/db.yaml: +login, ~password, -user\n" in ended.err
    assert "removed ConfigMap prod/app: k8s/app/config.yaml no longer has it\n" in ended.err
    assert not (running.target / "prod/configmaps").exists()


def test_the_same_values_sealed_anew_change_nothing(running: Place) -> None:
    running.commit({"k8s/db.yaml": running.seal(secret("db", password="hunter2", user="admin"))})

    assert running.reconcile().actions == []


def test_an_object_may_move_to_another_file(running: Place) -> None:
    running.git("mv", "k8s/db.yaml", "k8s/database.yaml")
    running.commit({})
    assert running.reconcile().actions == []

    # And it is the new file that holds it now.
    running.commit({"k8s/database.yaml": running.seal(secret("db", password="x")).replace("mac: ENC", "mac: XNC")})
    ended = running.reconcile()
    assert (ended.code, ended.actions) == (51, [("held", "db")])
    assert running.served() == ALL


def test_what_somebody_changed_is_put_back_and_told(running: Place) -> None:
    (running.target / "prod/secrets/db/password").write_text("evil")
    shutil.rmtree(running.target / "prod/configmaps/app")

    ended = running.reconcile()

    assert (ended.code, running.served()) == (0, ALL)
    assert "put back Secret prod/db: password was changed\n" in ended.err
    assert "put back ConfigMap prod/app: was deleted\n" in ended.err
    assert "evil" not in ended.err


def test_a_dry_run_tells_and_touches_nothing(running: Place) -> None:
    running.commit({"k8s/db.yaml": running.seal(secret("db", password="hunter3")), "k8s/app/config.yaml": None})
    (running.target / "prod/secrets/app/token").write_text("evil")
    before = {path: path.stat(follow_symlinks=False).st_mtime_ns for path in running.target.rglob("*")}

    ended = running.reconcile(dry_run=True)

    assert ended.code == 0
    assert ended.actions == [("prune", "app"), ("revert", "app"), ("update", "db")]
    assert ended.documents[0]["dry_run"] is True
    assert "would remove ConfigMap prod/app" in ended.err
    assert {path: path.stat(follow_symlinks=False).st_mtime_ns for path in running.target.rglob("*")} == before


def test_a_dry_run_does_not_even_make_the_folder(place: Place) -> None:
    place.commit({"k8s/db.yaml": config_map("db", a="x")})

    assert place.reconcile(dry_run=True).actions == [("create", "db")]
    assert not place.target.exists()


def _break_mac(place: Place) -> None:
    path = place.repository / "k8s/db.yaml"
    place.commit({"k8s/db.yaml": path.read_text().replace("name: db", "name: bd")})


def _half_file(place: Place) -> None:
    text = (place.repository / "k8s/db.yaml").read_text()
    place.commit({"k8s/db.yaml": text[: text.index("mac:")]})


@pytest.mark.parametrize(
    ("harm", "reason", "code"),
    [
        (_break_mac, "IntegrityFailed", 51),
        (_half_file, "MalformedDocument", 1),
        (lambda place: place.commit({"k8s/db.yaml": ""}), "MalformedDocument", 1),
        (lambda place: place.commit({"k8s/db.yaml": "x: " + "y" * (5 * 2**20)}), "LimitExceeded", 1),
        (lambda place: place.commit({"k8s/copy.yaml": secret("db", password="evil")}), "DuplicateObject", 1),
    ],
    ids=["mac", "truncated", "emptied", "too large", "claimed twice"],
)
def test_a_file_that_fails_keeps_what_runs_of_it_and_stops_only_removal(
    running: Place, harm: Callable[[Place], object], reason: str, code: int
) -> None:
    harm(running)
    running.commit({"k8s/app/secret.yaml": running.seal(secret("app", token="new")), "k8s/app/config.yaml": None})

    ended = running.reconcile(allow_prune=True)

    assert (ended.code, ended.reasons) == (code, [reason])
    assert running.served() == {**ALL, "prod/secrets/app/token": "new"}
    assert ended.actions == [("held", "app"), ("update", "app"), ("held", "db")]
    assert "k8s/db.yaml" in ended.err

    running.commit({"k8s/db.yaml": running.seal(secret("db", password="hunter2", user="admin"))})
    if reason == "DuplicateObject":
        running.commit({"k8s/copy.yaml": None})

    assert running.reconcile().actions == [("prune", "app")]


def test_without_a_key_everything_sealed_stays_and_the_rest_goes_on(running: Place) -> None:
    running.commit({"k8s/app/config.yaml": config_map("app", level="debug")})

    ended = running.reconcile(environ={"PATH": os.environ["PATH"], "HOME": str(running.folder)})

    assert (ended.code, ended.reasons) == (128, ["NoMatchingIdentity", "NoMatchingIdentity"])
    assert running.served() == {**ALL, "prod/configmaps/app/level": "debug"}
    assert "no age identity was found" in ended.err
    assert "Secret prod/db stays as it is" in ended.err
    assert "hint: name your key file in SOPS_AGE_KEY_FILE" in ended.err


def test_different_failures_end_with_one(running: Place, other_key: AgeKey) -> None:
    _break_mac(running)
    running.commit({"k8s/app/secret.yaml": running.seal(secret("app", token="new"), other_key)})

    assert running.reconcile().code == 1


def test_what_somebody_changed_in_a_held_object_is_told(running: Place) -> None:
    _break_mac(running)
    (running.target / "prod/secrets/db/password").write_text("evil")

    ended = running.reconcile()

    assert "Secret prod/db: password was changed meanwhile; without its file it cannot be put back" in ended.err
    assert running.read("prod/secrets/db/password") == "evil"


@pytest.mark.parametrize(
    "options",
    [
        {"path": "k8z"},
        {"ref": "mian"},
        {"source": "/nowhere"},
        {"source": "https://localhost:1/x.git"},
    ],
)
def test_a_source_that_fails_leaves_everything_as_it_is(running: Place, options: dict[str, str]) -> None:
    (running.target / "prod/secrets/db/extra").write_text("x")

    ended = running.reconcile(**options, allow_prune=True)

    assert (ended.code, ended.reasons, ended.actions) == (1, ["SourceNotReady"], [])
    assert "what runs stays as it is" in ended.err
    assert running.served() == {**ALL, "prod/secrets/db/extra": "x"}


def test_an_empty_folder_empties_nothing_even_if_pruning_is_allowed(running: Place) -> None:
    running.commit({"empty/readme.md": "nothing here"})

    for allow_prune in (False, True):
        ended = running.reconcile(path="empty", allow_prune=allow_prune)

        assert (ended.code, ended.reasons) == (1, ["PruneGuard"])
        assert "held: the source has no Secret and no ConfigMap at all" in ended.err
        assert running.served() == ALL


def test_what_was_deleted_by_hand_and_in_git_is_forgotten(running: Place) -> None:
    running.commit(dict.fromkeys(FILES))
    assert running.reconcile().code == 1
    shutil.rmtree(running.target / "prod")

    ended = running.reconcile()

    assert (ended.code, ended.actions) == (0, [])
    assert b'"objects": []' in (running.target / ".sealpy/inventory.json").read_bytes()


def test_another_folder_may_add_but_not_remove(running: Place) -> None:
    running.commit({"other/x.yaml": config_map("x", a="b")})

    ended = running.reconcile(path="other")

    assert (ended.code, ended.reasons) == (1, ["PruneGuard"])
    assert "it came from another source, branch or folder" in ended.err
    assert running.served() == {**ALL, "prod/configmaps/x/a": "b"}
    assert running.reconcile(path="other", allow_prune=True).code == 0
    assert running.served() == {"prod/configmaps/x/a": "b"}


def test_more_than_half_is_removed_only_when_it_is_allowed(place: Place) -> None:
    names = [f"s{number}" for number in range(6)]
    place.commit({f"k8s/{name}.yaml": config_map(name, a="x") for name in names})
    place.reconcile()
    place.commit({f"k8s/{name}.yaml": None for name in names[:4]})

    held = place.reconcile()
    assert (held.code, held.reasons, len(place.served())) == (1, ["PruneGuard"], 6)
    assert "4 of 6 objects would be removed" in held.err

    assert place.reconcile(allow_prune=True).code == 0
    assert len(place.served()) == 2


def test_a_stranger_in_the_way_is_left_alone(place: Place) -> None:
    stranger = place.target / "prod/secrets/db"
    stranger.mkdir(parents=True)
    (stranger / "password").write_text("somebody's own")
    place.commit({"k8s/db.yaml": place.seal(secret("db", password="x")), "k8s/app.yaml": config_map("app", a="x")})

    ended = place.reconcile()

    assert (ended.code, ended.reasons) == (1, ["OwnershipConflict"])
    assert place.served() == {"prod/configmaps/app/a": "x", "prod/secrets/db/password": "somebody's own"}
    shutil.rmtree(stranger)
    assert place.reconcile().actions == [("create", "db")]


def test_a_lost_inventory_is_made_again_of_what_is_as_it_should_be(running: Place) -> None:
    shutil.rmtree(running.target / ".sealpy")

    assert running.reconcile().actions == []

    running.commit({"k8s/db.yaml": running.seal(secret("db", password="new"))})
    assert running.reconcile().actions == [("update", "db")]


def test_a_damaged_inventory_stops_everything(running: Place) -> None:
    (running.target / ".sealpy/inventory.json").write_text("{")
    running.commit({"k8s/db.yaml": running.seal(secret("db", password="new"))})

    ended = running.reconcile()

    assert (ended.code, ended.reasons) == (1, ["TargetNotReady"])
    assert running.served() == ALL


def test_one_object_that_cannot_be_written_does_not_stop_the_others(
    running: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = directory._write_file

    def full(key: str, *rest) -> None:
        if key == "password":
            raise OSError(28, "No space left on device")
        real(key, *rest)

    running.commit(
        {
            "k8s/db.yaml": running.seal(secret("db", password="new", user="new")),
            "k8s/app/secret.yaml": running.seal(secret("app", token="new")),
            "k8s/app/config.yaml": None,
        }
    )
    monkeypatch.setattr(directory, "_write_file", full)
    ended = running.reconcile()
    monkeypatch.undo()

    assert (ended.code, ended.reasons) == (1, ["ApplyFailed"])
    assert "k8s/db.yaml: Secret prod/db: no space left on device" in ended.err
    assert running.served() == {**ALL, "prod/secrets/app/token": "new"}
    again = running.reconcile()
    assert (again.code, again.actions) == (0, [("prune", "app"), ("update", "db")])


def test_a_secret_in_clear_is_served_and_told(place: Place) -> None:
    place.commit({"k8s/db.yaml": secret("db", password="hunter2")})

    ended = place.reconcile()

    assert ended.code == 0
    assert place.served() == {"prod/secrets/db/password": "hunter2"}
    assert "warning: Secret prod/db stands in clear in k8s/db.yaml" in ended.err
    assert ended.documents[0]["in_clear"] == [{"namespace": "prod", "kind": "Secret", "name": "db"}]


def test_what_kustomize_would_do_and_we_do_not_is_told(place: Place) -> None:
    place.commit(
        {
            "k8s/a/kustomization.yaml": "namespace: prod\nsecretGenerator:\n- name: x\n",
            "k8s/a/x.yaml": config_map("a", a="x"),
            "k8s/b/kustomization.yaml": "namespace: prod\nresources: [x.yaml]\n",
            "k8s/b/x.yaml": config_map("b", a="x"),
            "k8s/c/kustomization.yaml": "namespace: other\nnamePrefix: x-\n",
            "k8s/c/x.yaml": config_map("c", a="x"),
        }
    )

    told = [line for line in place.reconcile().err.splitlines() if "kustomize is not run" in line]

    assert told == [
        "sealpy: warning: k8s/a/kustomization.yaml: kustomize is not run, so secretGenerator there has no effect here",
        "sealpy: warning: k8s/c/kustomization.yaml: kustomize is not run, so namePrefix, namespace there has no effect here",
    ]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("- op: add\n  path: /metadata/labels\n  value: Secret\n", 0),
        ("{{ if .Values.x }}\nsecretName: Secret\n{{ end }}\n", 0),
        ("kind: Secret\n{{ if }}\n", 1),
        ("apiVersion: v1\nkind: ConfigMap # x\ndata: {\n", 1),
        ('{"kind": "SecretList",\n', 1),
    ],
)
def test_what_is_no_document_is_a_fault_only_where_it_was_meant_to_be_an_object(
    place: Place, content: str, code: int
) -> None:
    place.commit({"k8s/x.yaml": content})

    assert place.reconcile().code == code


def test_names_cannot_play_with_the_terminal(place: Place) -> None:
    place.commit({"k8s/\x1b[31m\n::error::.yaml": secret("db", password="x").replace("name: db", "name: DB")})

    ended = place.reconcile()

    assert "\x1b" not in ended.err
    assert "⟦U+001B⟧[31m⏎::error::.yaml" in ended.err


# In a loop


class Loop:
    """A reconciler at work in the background."""

    def __init__(self, place: Place) -> None:
        self.stop = Stop()
        self.ended: list[Ended] = []
        self._err = io.StringIO()
        self._thread = threading.Thread(
            target=lambda: self.ended.append(place.reconcile(self.stop, err=self._err, once=False))
        )
        self._thread.start()

    def wait_for(self, line: str) -> None:
        """Wait until it has said something, once."""
        _until(lambda: line in self._err.getvalue())
        assert self._err.getvalue().count(line) == 1

    def end(self) -> Ended:
        """Stop it, and return how it ended."""
        self.stop.ask()
        self._thread.join(timeout=20)
        assert self.ended
        return self.ended[0]


@pytest.fixture
def loop(place: Place) -> Iterator[Callable[[], Loop]]:
    """Return a function that starts a reconciler."""
    loops = []

    def start() -> Loop:
        loops.append(Loop(place))
        return loops[-1]

    yield start
    for one in loops:
        one.stop.ask()


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _holds(path: Path, text: str) -> bool:
    try:
        return path.read_text() == text
    except OSError:
        return False


def test_a_loop_follows_the_branch_and_puts_back_what_is_changed(place: Place, loop: Callable[[], Loop]) -> None:
    password = place.target / "prod/secrets/db/password"
    place.commit({"k8s/db.yaml": place.seal(secret("db", password="one"))})
    reconciler = loop()
    reconciler.wait_for("created Secret prod/db from k8s/db.yaml: +password\n")
    assert password.read_text() == "one"

    place.commit({"k8s/db.yaml": place.seal(secret("db", password="two"))})
    reconciler.wait_for("updated Secret prod/db from k8s/db.yaml: ~password\n")
    assert password.read_text() == "two"
    password.write_text("evil")
    reconciler.wait_for("put back Secret prod/db: password was changed\n")
    assert password.read_text() == "two"
    (place.target / "prod").rename(place.folder / "away")
    reconciler.wait_for("put back Secret prod/db: was deleted\n")
    assert password.read_text() == "two"

    assert reconciler.end().code == 0


def test_a_loop_makes_the_whole_target_again(
    running: Place, loop: Callable[[], Loop], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "FIRST", 0.02)
    reconciler = loop()
    _until(lambda: running.reconcile(dry_run=True).code == 0)

    shutil.rmtree(running.target, ignore_errors=True)
    _until(lambda: running.target.exists() and running.served() == ALL)

    reconciler.end()
    assert running.reconcile().actions == []


def test_a_loop_says_once_what_fails_and_that_it_is_well_again(
    running: Place, loop: Callable[[], Loop], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "FIRST", 0.02)
    _break_mac(running)
    reconciler = loop()
    _until((running.target / ".sealpy/lock").exists)
    time.sleep(0.5)
    moved = running.folder / "moved"
    running.repository.rename(moved)
    time.sleep(0.5)
    moved.rename(running.repository)
    running.commit({"k8s/db.yaml": running.seal(secret("db", password="new"))})
    _until(lambda: _holds(running.target / "prod/secrets/db/password", "new"))

    ended = reconciler.end()

    assert len(ended.documents) > 4
    assert ended.err.count("failed: k8s/db.yaml") == 1
    assert ended.err.count("failed: there is no folder") == 1
    assert ended.err.count("all is well again") == 1


def test_a_loop_waits_longer_each_time_a_source_fails(running: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "FIRST", 8.0)
    waits: list[float] = []

    class Impatient(Stop):
        def wait(self, seconds: float) -> None:
            waits.append(seconds)
            if len(waits) == 5:
                self.ask()

    ended = running.reconcile(Impatient(), once=False, path="nowhere")

    assert ended.code == 0
    for wait, expected in zip(waits, (8, 16, 32, 64, 128), strict=True):
        assert 0.8 * expected <= wait <= 1.2 * expected


def test_a_file_that_fails_is_tried_again_later_and_at_once_when_it_changes(running: Place, other_key: AgeKey) -> None:
    running.commit({"k8s/db.yaml": running.seal(secret("db", password="new"), other_key)})
    rounds = 0
    waits: list[float] = []
    environ = dict(running.environ)

    class Impatient(Stop):
        def wait(self, seconds: float) -> None:
            nonlocal rounds
            rounds += 1
            waits.append(seconds)
            if rounds == 1:
                # The right key comes, but it is too early to look at the file again.
                environ["SOPS_AGE_KEY"] = other_key.identity
            elif rounds == 2:
                running.commit({"k8s/db.yaml": running.seal(secret("db", password="newer"), other_key)})
            else:
                self.ask()

    ended = running.reconcile(Impatient(), environ, once=False, interval=60.0)

    assert [document["converged"] for document in ended.documents][:2] == [False, False]
    assert all(wait <= 6 for wait in waits[:2])
    assert running.read("prod/secrets/db/password") == "newer"


def test_a_second_reconciler_waits_for_the_first(
    running: Place, loop: Callable[[], Loop], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "FIRST", 0.02)
    reconciler = loop()
    _until(lambda: running.reconcile().reasons == ["TargetNotReady"])

    ended = running.reconcile()

    assert ended.code == 1
    assert "another sealpy reconcile works on it" in ended.err
    reconciler.end()
    assert running.reconcile().code == 0


# Nothing leaks

CANARY = "canary-7f3a9c51"


def _forms(value: str) -> list[bytes]:
    raw = value.encode()
    return [
        raw,
        raw.hex().encode(),
        *(base64.b64encode(b"\0" * offset + raw)[(0, 2, 3)[offset] : -4] for offset in range(3)),
    ]


def _holding(folder: Path, value: str) -> set[str]:
    """Return the files under a folder that hold a value in any form."""
    found = set()
    for path in folder.rglob("*"):
        if path.is_file() and any(form in path.read_bytes() for form in _forms(value)):
            found.add(path.relative_to(folder).parts[0])
    return found


def test_the_search_finds_every_form(tmp_path: Path) -> None:
    for number, leak in enumerate(
        [CANARY, CANARY.encode().hex(), *(base64.b64encode(b"abc"[:n] + CANARY.encode()).decode() for n in range(4))]
    ):
        (tmp_path / f"{number}").write_text(f"...{leak}...")

    assert _holding(tmp_path, CANARY) == {"0", "1", "2", "3", "4", "5"}


def test_no_value_gets_into_a_log_a_document_or_what_is_remembered(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = place.folder / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    monkeypatch.setattr(Source, "_drop_mirror", lambda self: None)
    clear = secret("db", password=CANARY, user="x")
    texts = [
        place.seal(clear),
        place.seal(clear).replace("name: db", "name: bd"),
        place.seal(clear).replace("stringData", "data"),
        place.seal(clear.replace("stringData", "data")),
        place.seal(clear.replace("stringData:", f"stringData:\n  ../{CANARY[:6]}: x\n  number: 7")),
        clear,
        clear.replace("stringData:", "stringData: {{"),
        clear.replace("  user", " user"),
        place.seal(secret("db", password="other")),
        place.seal(clear),
    ]
    said = ""
    for number, text in enumerate(texts):
        place.commit({"k8s/db.yaml": text})
        drift = place.target / "prod/secrets/db/password"
        if number % 2 and drift.exists():
            drift.write_text(f"{CANARY}-changed")
        ended = place.reconcile(source=f"file://{place.repository}")
        said += ended.err + str(ended.documents)

    assert place.read("prod/secrets/db/password") == CANARY
    assert said.count("sealpy.reconcile/1") == len(texts)
    assert said.count("'converged': False") == 6
    assert not any(form in said.encode() for form in _forms(CANARY))
    assert _holding(place.target, CANARY) == {"prod"}
    assert _holding(place.target / ".sealpy", CANARY) == set()
    assert len(list(temporary.iterdir())) == len(texts)
    assert _holding(temporary, CANARY) == set()


def test_no_private_key_gets_into_the_target(running: Place) -> None:
    (running.folder / "control").write_text(running.key.identity)

    assert _holding(running.folder, running.key.identity) == {"control"}


def test_base_and_parts_are_one_object(place: Place) -> None:
    part = place.seal(secret("db", b="new", c="x"))
    place.commit({"k8s/db.yaml": place.seal(secret("db", a="one", b="old")), "k8s/db.d/b.yaml": part})

    assert place.reconcile().code == 0
    assert place.served() == {
        f"prod/secrets/db/{key}": value for key, value in (("a", "one"), ("b", "new"), ("c", "x"))
    }


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace("kind: Secret", "kind: Other"),
        lambda text: text.replace("name: db", "name: else"),
        lambda text: "",
        lambda text: "not: a manifest\n",
        lambda text: "[",
        lambda text: text.replace("lastmodified", "lastmodifie"),
    ],
)
def test_a_damaged_part_leaves_what_runs_as_it_is(place: Place, damage: Callable[[str], str]) -> None:
    part = place.seal(secret("db", b="new"))
    place.commit({"k8s/db.yaml": place.seal(secret("db", a="one", b="old")), "k8s/db.d/b.yaml": part})
    place.reconcile()
    assert damage(part) != part
    place.commit({"k8s/db.d/b.yaml": damage(part), "k8s/db.yaml": place.seal(secret("db", a="two", b="old"))})

    ended = place.reconcile()

    assert ended.code in (1, 51)
    assert place.read("prod/secrets/db/b") == "new"
    assert place.read("prod/secrets/db/a") == "one"
    assert "k8s/db.d/b.yaml" in ended.err


@pytest.mark.parametrize(
    "text",
    [
        secret("db", b="evil") + "type: Opaque\n",
        secret("db", b="evil") + "immutable: true\n",
        secret("db", b="evil").replace("  name: db", "  name: db\n  labels: {a: b}"),
        secret("db", b="evil").replace("  b: evil", "  <<: {b: evil}"),
        secret("db", b="evil") + "data: {b: Z29vZA==}\n",
        "m: {x: evil}\n",
    ],
)
def test_what_decrypting_refuses_among_the_parts_is_not_applied(place: Place, text: str) -> None:
    place.commit({"k8s/db.yaml": place.seal(secret("db", a="one", b="old")), "k8s/db.d/b.yaml": place.seal(text)})

    ended = place.reconcile()

    assert (ended.code, ended.reasons) == (1, ["MalformedDocument"])
    assert place.served() == {}
    assert "k8s/db.d/b.yaml" in ended.err


@pytest.mark.parametrize("gone", [{"k8s/db.yaml": None}, {"k8s/db.yaml": None, "k8s/web.yaml": ""}])
@pytest.mark.parametrize("name", ["b", "any"])
def test_a_part_whose_file_is_gone_or_renamed_takes_no_value_away(
    place: Place, gone: dict[str, str | None], name: str
) -> None:
    base = place.seal(secret("db", a="one", b="old"))
    place.commit({"k8s/db.yaml": base, f"k8s/db.d/{name}.yaml": place.seal(secret("db", b="new"))})
    place.reconcile()
    before = place.served()
    place.commit({path: text if text is None else base for path, text in gone.items()})

    ended = place.reconcile()

    assert (ended.code, ended.reasons) == (1, ["MalformedDocument"])
    assert f"k8s/db.d/{name}.yaml: is a part of k8s/db.yaml, which is gone" in ended.err
    assert place.served() == before == {"prod/secrets/db/a": "one", "prod/secrets/db/b": "new"}


def test_a_linked_part_is_not_applied(place: Place) -> None:
    (place.folder / "elsewhere.yaml").write_text(place.seal(secret("db", b="evil")))
    place.commit({"k8s/db.yaml": place.seal(secret("db", a="one", b="old"))})
    place.reconcile()
    (place.repository / "k8s/db.d").mkdir()
    (place.repository / "k8s/db.d/b.yaml").symlink_to(place.folder / "elsewhere.yaml")
    place.commit({"k8s/db.yaml": place.seal(secret("db", a="two", b="old"))})

    ended = place.reconcile()

    assert (ended.code, ended.reasons) == (1, ["MalformedDocument"])
    assert "k8s/db.d/b.yaml: is a link among the parts of k8s/db.yaml" in ended.err
    assert place.served() == {"prod/secrets/db/a": "one", "prod/secrets/db/b": "old"}


def test_a_folder_beside_a_file_without_secrets_holds_no_parts(place: Place) -> None:
    place.commit(
        {
            "k8s/app.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app}\n",
            "k8s/app.d/values.yaml": "a: 1\n",
            "k8s/app.d/template.yaml": "[{{",
            "k8s/app.d/db.yaml": place.seal(secret("db", a="one")),
        }
    )

    assert place.reconcile().code == 0
    assert place.served() == {"prod/secrets/db/a": "one"}

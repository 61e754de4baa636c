"""What is found wrong with one file, without a key."""

import os

import pytest

from sealpy import operations, registry, rules
from sealpy.checking.files import Subject, Verdict, check
from sealpy.checking.findings import KINDS, SEVERITIES, Finding, graded
from sealpy.checking.mending import Tools
from sealpy.errors import ParseError
from sealpy.identities import Identities, generate
from sealpy.keyring import Keyring
from sealpy.project import EMPTY, parse
from sealpy.selection import Selection

ALICE, BOB = generate(), generate()
NAMES = parse(f"recipients:\n  alice: {ALICE.recipients[0]}\n  bob: {BOB.recipients[0]}\n", ".sealpy.yaml")
SECRET = """\
apiVersion: v1
kind: Secret
metadata:
  name: db
  namespace: shop
stringData:
  PASSWORD: hunter2-canary
  USER: app
"""
REGEX = "^(data|stringData)$"


def keyring(*identities: object) -> Keyring:
    text = "\n".join(identity.text.expose() for identity in identities)  # type: ignore[attr-defined]
    return Keyring(registry.backends(Identities({"SOPS_AGE_KEY": text} if text else {}, home=os.devnull)))


def sealed(
    text: str = SECRET,
    *,
    path: str = "a.yaml",
    to: tuple[str, ...] = (ALICE.recipients[0],),
    regex: str = REGEX,
    only: bool = False,
) -> bytes:
    from datetime import UTC, datetime

    fmt = registry.format_for(path)
    selection = None if fmt.name == "binary" else Selection("encrypted_regex", regex)
    plan = operations.Plan([[("age", one) for one in to]], selection, only)
    now = datetime(2026, 1, 2, tzinfo=UTC)
    return operations.encrypt(text.encode(), fmt, plan, keyring(), now=now, allow_clear=True)


def rule(text: str = "", *, regex: str = REGEX, to: str = ALICE.recipients[0]) -> rules.CreationRule:
    written = text or f"path_regex: .\n    encrypted_regex: {regex}\n    age: {to}"
    found = rules.parse(f"creation_rules:\n  - {written}\n", ".sops.yaml").match("a.yaml")
    assert found is not None
    return found


def verdict(data: bytes, covered: rules.CreationRule | None = None, path: str = "a.yaml", **options: object) -> Verdict:
    """Check a file; what is said of a sealed one without a rule is for a test of its own."""
    subject = Subject(path, data, covered, covered is not None, hidden=covered is None)
    return check(subject, NAMES, **options)  # type: ignore[arg-type]


def found(data: bytes, covered: rules.CreationRule | None = None, path: str = "a.yaml") -> list[tuple[str, int, str]]:
    return [(one.id, one.line, one.message) for one in verdict(data, covered, path).findings]


def test_a_file_sealed_by_its_rule_is_right() -> None:
    assert verdict(sealed(), rule()).findings == ()
    assert verdict(sealed(), rule()).standing == "sealed"


@pytest.mark.parametrize(("path", "text"), [("a.json", '{"a": "b"}'), ("a.env", "A=b\n"), ("a.ini", "[s]\na=b\n")])
def test_so_is_one_of_another_format(path: str, text: str) -> None:
    assert found(sealed(text, path=path, regex="^(a|A)$"), rule(regex="^(a|A)$"), path) == []


def test_a_binary_file_has_no_choice_of_what_is_sealed() -> None:
    assert found(sealed("anything", path="key.p12"), rule(), "key.p12") == []


class TestInClear:
    def test_what_a_rule_wants_is_found_with_its_line(self) -> None:
        assert found(SECRET.encode(), rule()) == [
            ("SP102", 7, "it is in clear, but a creation rule wants it encrypted")
        ]

    def test_a_secret_without_a_rule_is_found_too(self) -> None:
        assert found(SECRET.encode()) == [("SP101", 7, "it is a Kubernetes Secret in clear")]

    def test_a_secret_is_found_in_a_list_and_in_json(self) -> None:
        listed = "apiVersion: v1\nkind: List\nitems:\n" + "".join(f"  {line}\n" for line in SECRET.splitlines())
        listed = listed.replace("  apiVersion: v1\n  kind: S", "- apiVersion: v1\n  kind: S")
        assert [one[:2] for one in found(listed.encode())] == [("SP101", 10)]
        text = b'{"apiVersion":"v1","kind":"Secret","data":{"a":"Yg=="}}'
        assert [one[:2] for one in found(text, path="a.json")] == [("SP101", 1)]

    def test_a_second_document_is_found(self) -> None:
        assert [one[:2] for one in found(b"a: b\n---\n" + SECRET.encode())] == [("SP101", 9)]

    @pytest.mark.parametrize("value", ['"{{ .Values.password }}"', "${PASSWORD}", "$(PASSWORD)", '""'])
    def test_a_placeholder_is_no_secret(self, value: str) -> None:
        assert found(SECRET.replace("hunter2-canary", value).replace("app", value).encode()) == []

    @pytest.mark.parametrize(
        "text",
        [
            "apiVersion: v1\nkind: Secret\n",
            "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nspec: {data: [{secretKey: a}]}\n",
            "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nspec: {encryptedData: {a: b}}\n",
            "kind: Secret about sops\n",
            "- Secret\n- kind\n",
            "data: {{ .Values.Secret }} kind\n",
        ],
    )
    def test_what_only_looks_like_a_secret_is_none(self, text: str) -> None:
        assert found(text.encode()) == []

    def test_prose_may_show_encrypted_values(self) -> None:
        assert found(b"Such as ENC[AES256_GCM,data:a,iv:b,tag:c,type:str]\n", path="README.md") == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.yaml", "a: b\n<<<<<<< HEAD\nc: d\n=======\nc: e\n>>>>>>> other\n"),
        ("a.json", '{\n<<<<<<< HEAD\n"c": "d"\n=======\n"c": "e"\n>>>>>>> other\n}\n'),
        ("a.env", "A=b\n<<<<<<< HEAD\nC=d\n=======\nC=e\n>>>>>>> other\n"),
        ("a.ini", "[s]\n<<<<<<< HEAD\nc = d\n=======\nc = e\n>>>>>>> other\n"),
    ],
)
def test_whoever_reads_a_conflict_hears_of_its_line_and_not_of_syntax(path: str, text: str) -> None:
    fmt = registry.format_for(path)
    with pytest.raises(ParseError) as caught:
        fmt.scan(fmt.decode(text.encode()))
    assert (caught.value.message, caught.value.line) == ("a merge left conflict markers", 2)
    assert caught.value.__context__ is None


class TestHalfSealed:
    def test_a_value_in_clear_among_sealed_ones_is_found(self) -> None:
        data = sealed().replace(b"stringData:\n", b"stringData:\n  NEW: in-clear-canary\n")
        message = "the value of stringData.NEW stands in clear, but the file's rule wants it encrypted"
        assert found(data, rule()) == [("SP103", 7, message)]

    def test_so_is_one_that_only_the_creation_rule_wants(self) -> None:
        ids = [(one[0], one[1]) for one in found(sealed(regex="^PASSWORD$"), rule())]
        assert ids == [("SP103", 8), ("SP310", 0)]

    def test_a_sealed_value_that_nothing_opens_is_found(self) -> None:
        text = sealed().decode()
        value = text.partition("PASSWORD: ")[2].partition("\n")[0]
        message = (
            "the value of metadata.namespace is encrypted, but the file's rule leaves it in clear: nothing opens it"
        )
        assert found(text.replace("namespace: shop", f"namespace: {value}").encode()) == [("SP104", 5, message)]

    def test_a_damaged_value_is_found(self) -> None:
        data = sealed().replace(b",type:str]\n  USER", b",type:str\n  USER")
        assert found(data) == [("SP402", 7, "the encrypted value of stringData.PASSWORD is damaged")]

    def test_sealed_values_without_metadata_are_found(self) -> None:
        data = sealed().partition(b"sops:")[0]
        assert [one[:2] for one in found(data)] == [("SP104", 7), ("SP104", 8)]

    def test_a_sealed_file_whose_rule_spares_the_secret_is_found(self) -> None:
        message = (
            "the file is encrypted, but its rule leaves stringData.USER of a Kubernetes Secret in clear: "
            "mend the rule in .sops.yaml first"
        )
        assert found(sealed(regex="^PASSWORD$")) == [("SP105", 8, message)]

    def test_many_values_are_counted_and_not_listed(self) -> None:
        more = "".join(f"  N{number}: x\n" for number in range(500))
        findings = found(sealed().replace(b"stringData:\n", b"stringData:\n" + more.encode()), rule())
        assert len(findings) == 21
        assert findings[-1][2] == "480 more values like these"

    def test_a_sealed_file_without_a_sealed_value_is_found(self) -> None:
        data = sealed("a: hunter2-canary\nb: 1\n", regex="^nothing$")
        everything = rule(f"path_regex: .\n    age: {ALICE.recipients[0]}")
        message = "nothing in it is encrypted, though it has the metadata of an encrypted file"
        assert found(data, everything) == [("SP106", 1, message)]
        assert [one.fix for one in verdict(data, everything).findings] == [
            "sealpy decrypt -i {path} && sealpy encrypt -i {path}"
        ]
        assert found(data, rule(regex="^nothing$")) == [("SP106", 1, message)]
        assert found(sealed('a: ""\nb: null\n', regex="^(a|b)$"), everything) == []

    def test_a_comment_in_clear_below_what_is_sealed_is_found(self) -> None:
        data = sealed().replace(b"stringData:\n", b"stringData:\n  # password is hunter2-canary\n")
        message = "a comment below stringData stands in clear, where the file's rule wants it encrypted: take it out"
        assert found(data, rule()) == [("SP107", 7, message)]
        assert graded(verdict(data, rule()).findings, {})[0].severity == "warning"

    def test_comments_that_were_sealed_and_those_that_should_not_be_are_right(self) -> None:
        text = SECRET.replace("stringData:\n", "# why\nstringData:\n  # which\n").replace("hunter2-canary", "x # how")
        data = sealed(text)
        assert data.count(b"type:comment") == 2
        assert b"# why" in data
        assert found(data, rule()) == []

    def test_conflict_markers_are_found(self) -> None:
        data = b"<<<<<<< ours\n" + sealed() + b"=======\n" + sealed() + b">>>>>>> theirs\n"
        assert [one[:2] for one in found(data)] == [("SP404", 1)]

    def test_metadata_without_sense_are_found(self) -> None:
        data = sealed().replace(b"lastmodified: ", b"lastmodified: x")
        assert [one[0] for one in found(data)] == ["SP406"]

    def test_a_comment_among_the_metadata_is_passed_over(self) -> None:
        value = sealed().decode().partition("PASSWORD: ")[2].partition("\n")[0].replace("type:str", "type:comment")
        assert found(f"a: b\nsops:\n  age:\n    - {value}\n    - b\n".encode())[0][0] == "SP406"

    def test_a_missing_mac_is_found(self) -> None:
        text = sealed().decode()
        mac = next(line for line in text.splitlines() if line.strip().startswith("mac:"))
        assert [one[0] for one in found(text.replace(mac + "\n", "").encode())] == ["SP401"]

    @pytest.mark.parametrize("mac", ["XNC[AES256_GCM,data:YQ==,iv:YQ==,tag:YQ==,type:str]", "ENC[AES256_GCM", "abc"])
    def test_so_is_one_that_is_no_encrypted_value_also_without_a_key(self, mac: str) -> None:
        text = sealed().decode()
        line = next(line for line in text.splitlines() if line.strip().startswith("mac:"))
        data = text.replace(line, f"{line.partition('mac:')[0]}mac: '{mac}'").encode()
        assert [(one[0], one[2]) for one in found(data, rule())] == [
            ("SP401", "its MAC is damaged, so anybody may have changed it")
        ]

    def test_a_file_that_cannot_be_read_is_found_if_a_rule_is_meant_for_it(self) -> None:
        assert [one[0] for one in found(b"a: [b\n", rule())] == ["SP407"]
        assert found(b"a: [b\n") == []


class TestAccess:
    def test_whoever_reads_beyond_the_rule_is_named(self) -> None:
        data = sealed(to=(ALICE.recipients[0], BOB.recipients[0]))
        assert [one[2] for one in found(data, rule())] == [
            f"{NAMES.shown(BOB.recipients[0])} can read it, but the rule does not say so"
        ]
        assert NAMES.shown(BOB.recipients[0]).startswith("bob (age1")

    def test_a_recipient_without_a_text_is_said_in_words(self) -> None:
        data = sealed().replace(f"recipient: {ALICE.recipients[0]}".encode(), b'recipient: ""')
        assert found(data, rule())[0][2] == "a key that names nobody can read it, but the rule does not say so"

    def test_whoever_the_rule_names_and_cannot_read_is_named(self) -> None:
        covered = rule(to=f"{ALICE.recipients[0]},{BOB.recipients[0]}")
        messages = [(one[0], one[2]) for one in found(sealed(), covered)]
        assert messages == [("SP302", f"{NAMES.shown(BOB.recipients[0])} cannot read it, but the rule says so")]

    def test_another_choice_of_what_is_sealed_is_found(self) -> None:
        message = f"it is encrypted by encrypted_regex: {REGEX}, but the rule says encrypted_regex: ^stringData$"
        assert found(sealed(), rule(regex="^stringData$")) == [("SP310", 0, message)]

    def test_another_scope_of_the_mac_is_found(self) -> None:
        message = "its MAC covers only the encrypted values, but the rule says clear values too"
        assert found(sealed(only=True), rule()) == [("SP311", 0, message)]

    def test_a_rule_without_keys_says_nothing_about_recipients(self) -> None:
        assert found(sealed(), rule(f"encrypted_regex: {REGEX}")) == []

    def test_a_sealed_file_without_a_rule_is_an_error_with_other_rules_and_without_any(self) -> None:
        for ruled, what in ((True, "no rule covers it"), (False, "there is no .sops.yaml above it")):
            findings = graded(check(Subject("a.yaml", sealed(), None, ruled=ruled), EMPTY).findings, {})
            message = f"it is encrypted, but {what}: nothing says who should read it"
            assert [(one.id, one.severity, one.message) for one in findings] == [("SP506", "error", message)]

    def test_a_rule_that_a_mistake_hides_may_be_there(self) -> None:
        assert check(Subject("a.yaml", sealed(), None, ruled=True, hidden=True), EMPTY).findings == ()

    def test_groups_that_differ_are_found(self) -> None:
        ours, theirs = ALICE.recipients[0], BOB.recipients[0]
        covered = rule(f"encrypted_regex: {REGEX}\n    key_groups:\n      - age: [{ours}]\n      - age: [{theirs}]")
        messages = [(one[0], one[2]) for one in found(sealed(to=(ours, theirs)), covered)]
        assert messages == [("SP305", "its recipients stand in one key group, not in the rule's groups")]


class TestWithKeys:
    def tools(self, *earlier: bytes, key: object = None, changed: bool = True) -> Tools:
        ring = keyring(key) if key is not None else None
        return Tools(lambda metadata: ring.open(metadata) if ring else None, lambda _: changed, lambda _: earlier)

    def ids(self, data: bytes, tools: Tools) -> list[tuple[str, str]]:
        return [(one.id, one.key) for one in verdict(data, rule(), tools=tools).findings]

    def test_a_mac_that_fits_is_verified(self) -> None:
        assert verdict(sealed(), rule(), tools=self.tools(key=ALICE)).verified == "yes"

    def test_a_file_for_others_is_not_wrong(self) -> None:
        assert verdict(sealed(), rule(), tools=self.tools()).verified == "no key"
        assert self.ids(sealed(), self.tools()) == []

    def test_an_edited_clear_field_is_named_with_a_key_and_without(self) -> None:
        before = sealed()
        after = before.replace(b"namespace: shop", b"namespace: prod")
        assert self.ids(after, self.tools(before, key=ALICE)) == [("SP403", "metadata.namespace")]
        assert self.ids(after, self.tools(before)) == [("SP403", "metadata.namespace")]

    def test_without_history_a_key_tells_only_that_the_mac_does_not_fit(self) -> None:
        after = sealed().replace(b"namespace: shop", b"namespace: prod")
        assert self.ids(after, self.tools(key=ALICE)) == [("SP401", "")]
        assert self.ids(after, self.tools()) == []

    def test_the_field_is_found_further_back_in_history(self) -> None:
        before = sealed()
        after = before.replace(b"namespace: shop", b"namespace: prod")
        assert self.ids(after, self.tools(after, after, before, key=ALICE)) == [("SP403", "metadata.namespace")]

    def test_a_good_version_that_is_put_back_is_not_suspected(self) -> None:
        good = sealed()
        bad = good.replace(b"namespace: shop", b"namespace: prod")
        assert self.ids(good, self.tools(bad, good)) == []

    def test_a_new_seal_is_not_suspected(self) -> None:
        assert self.ids(sealed(SECRET.replace("shop", "prod")), self.tools(sealed())) == []

    def test_what_the_mac_does_not_cover_may_be_edited(self) -> None:
        before = sealed(only=True)
        after = before.replace(b"namespace: shop", b"namespace: prod")
        covered = rule(
            f"path_regex: .\n    encrypted_regex: {REGEX}\n    mac_only_encrypted: true\n    age: {ALICE.recipients[0]}"
        )
        assert verdict(after, covered, tools=self.tools(before)).findings == ()
        assert verdict(after, covered, tools=self.tools(before, key=ALICE)).verified == "yes"

    def test_a_removed_field_is_named(self) -> None:
        before = sealed()
        after = before.replace(b"  namespace: shop\n", b"")
        finding = verdict(after, rule(), tools=self.tools(before)).findings[0]
        assert finding.message == (
            "metadata.namespace was removed without a key: the MAC covers it and fits no more, "
            "so nothing will decrypt this"
        )

    def test_a_value_that_was_moved_does_not_open(self) -> None:
        text = sealed().decode()
        password, user = (text.partition(f"{name}: ")[2].partition("\n")[0] for name in ("PASSWORD", "USER"))
        swapped = text.replace(password, "\0").replace(user, password).replace("\0", user).encode()
        assert self.ids(swapped, self.tools(key=ALICE)) == [("SP402", "")]

    def test_a_half_sealed_file_is_reported_once(self) -> None:
        data = sealed().replace(b"stringData:\n", b"stringData:\n  NEW: canary\n")
        assert self.ids(data, self.tools(key=ALICE)) == [("SP103", "stringData.NEW")]

    def test_no_finding_holds_a_value(self) -> None:
        data = sealed().replace(b"stringData:\n", b"stringData:\n  NEW: in-clear-canary\n")
        for one in verdict(data + b"x: y\n", rule(), tools=self.tools(sealed(), key=ALICE)).findings:
            assert "canary" not in repr(one)


class TestSeverities:
    def test_every_kind_has_a_severity_and_a_title(self) -> None:
        assert all(kind.severity in SEVERITIES and kind.title for kind in KINDS.values())

    def test_a_project_changes_them(self) -> None:
        findings = [Finding("SP101", "a", "x"), Finding("SP506", "a", "x"), Finding("SP102", "a", "x")]
        graded_ones = graded(findings, {"SP101": "off", "SP506": "warning"})
        assert [(one.id, one.severity) for one in graded_ones] == [("SP506", "warning"), ("SP102", "error")]

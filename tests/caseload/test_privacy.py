"""What must stay private: pseudonyms, working files, and what is said of rows that cannot be used."""

from __future__ import annotations

import logging
from pathlib import Path

import pyarrow as pa
import pytest

from caseload.support import ACCOUNTS, folder, load
from rbcalc.caseload.column_map import ColumnMap
from rbcalc.caseload.pseudonyms import Pseudonyms, key_file, kind_of
from rbcalc.caseload.purge import purge, working_folder
from rbcalc.errors import UsageError

CANARY = "Zebulon Quartermain"
NINO = "QQ 12 34 56 C"
SECRETS = (CANARY, "Quartermain", "QQ123456", NINO, "1 Canary Row")
PERSONAL = (
    "dwelling,from,to,birth_date,student,Full Name,NINO,notes\n"
    f"D1,2000-01-01,,1970-05-01,no,{CANARY},{NINO},1 Canary Row\n"
    f'D2,2000-01-01,,1980-05-01,yes,"{CANARY.lower()}  ",qq123456,x\n'
)


def test_private_columns_become_stable_pseudonyms(tmp_path: Path) -> None:
    made = load(folder(tmp_path / "c", people=PERSONAL), council="north")
    carried = made.registers["people"].carried
    assert list(carried) == ["Full Name", "NINO"]
    for column in carried.values():
        first, second = column.to_pylist()
        assert first == second and len(first) == 16
    again = load(folder(tmp_path / "c", people=PERSONAL), council="north").registers["people"].carried
    assert again["NINO"].equals(carried["NINO"])
    assert oct(key_file().stat().st_mode & 0o777) == "0o600"


def test_pseudonyms_depend_on_the_key_and_the_kind() -> None:
    one, other = Pseudonyms(b"1" * 32), Pseudonyms(b"2" * 32)
    assert one.one("name", "A B") == one.one("name", " a  b ") != other.one("name", "A B")
    assert one.one("name", "A B") != one.one("address", "A B")
    assert one.one("nino", "qq 12 34 56 c") == one.one("nino", "QQ123456")
    assert one.column("name", pa.array(["x", None, "X"])).to_pylist() == [one.one("name", "x"), None, one.one("name", "x")]
    assert "1111" not in repr(one)


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("Surname", "name"), ("NINO", "nino"), ("Nat Ins No", "nino"), ("NI Number", "nino"), ("ADDRESS 1", "address"),
        ("Post Code", "postcode"), ("e-mail", "email"), ("Mobile", "phone"), ("capital", ""),
    ],
)  # fmt: skip
def test_headers_announce_what_is_private(header: str, kind: str) -> None:
    assert kind_of(header) == kind


def test_a_declared_column_is_private_and_may_not_be_one_that_rules_read(tmp_path: Path) -> None:
    path = folder(tmp_path / "c", people=PERSONAL)
    told = ColumnMap.parse("kind: column map\nregisters: {people: {private: [NOTES]}}")
    carried = load(path, council="north", column_map=told).registers["people"].carried
    assert all("Canary" not in text for text in carried["notes"].to_pylist())
    told = ColumnMap.parse("kind: column map\nregisters: {people: {private: [student]}}")
    with pytest.raises(UsageError, match=r"RC021"):
        load(path, council="north", column_map=told)
    told = ColumnMap.parse("kind: column map\nregisters: {people: {private: [ntes]}}")
    with pytest.raises(UsageError, match=r"no column 'ntes'.*did you mean 'notes'"):
        load(path, council="north", column_map=told)


def test_private_columns_stay_when_asked(tmp_path: Path) -> None:
    made = load(folder(tmp_path / "c", people=PERSONAL), council="north", keep_private=True)
    assert made.registers["people"].carried["Full Name"].to_pylist()[0] == CANARY
    assert not key_file().exists()


def test_canaries_are_found_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture, own_folders: Path) -> None:
    caplog.set_level(logging.DEBUG)
    # A comma too many pushes the name into the columns that the rules read.
    pushed = "dwelling,from,to,birth_date,student\n" + f"{CANARY},{CANARY},{NINO},{CANARY},{CANARY}\nD2,{CANARY},,1970-01-01,{NINO}\n"
    accounts = ACCOUNTS + f"{CANARY},{CANARY},{CANARY},,{CANARY}\n"
    for text in (PERSONAL, pushed):
        made = load(folder(tmp_path / "c", accounts, people=text), council="north")
        told = "\n".join([str(made), str(made.rejects.to_pylist()), caplog.text, *made.notes])
        told += "".join(str(register.carried) for register in made.registers.values())
        assert not [secret for secret in SECRETS if secret.lower() in told.lower()]
    kept = b"".join(path.read_bytes() for path in own_folders.rglob("*") if path.is_file())
    assert not [secret for secret in SECRETS if secret.encode() in kept]


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    Pseudonyms.from_file(path)
    path.chmod(0o644)
    with pytest.raises(UsageError, match=r"RC020.*other people can read the key"):
        Pseudonyms.from_file(path)
    path.chmod(0o600)
    path.write_text("short")
    with pytest.raises(UsageError, match=r"RC020"):
        Pseudonyms.from_file(path)


def test_purge_removes_what_a_killed_run_left_and_finds_nothing_afterwards(tmp_path: Path, own_folders: Path) -> None:
    with working_folder(tmp_path / "w") as path:
        assert path.stat().st_mode & 0o777 == 0o700
        assert purge().in_use == (str(path),)
    # A run that was killed leaves its folder and its entry; its process number is nobody's.
    name = "work-4194305-0123"
    left = tmp_path / "w" / name
    left.mkdir()
    (left / ".rbcalc-working-folder").write_text("")
    (left / "shard.arrow").write_bytes(b"x" * 100)
    registry = own_folders / "cache" / "registry"
    registry.mkdir(parents=True, exist_ok=True)
    (registry / name).write_text(str(left))
    (own_folders / "cache" / "kernel.py").write_text("x")
    receipt = purge()
    assert not left.exists() and receipt.in_use == ()
    assert {Path(item.path).name for item in receipt.removed} == {name, ".rbcalc-working-folder", "shard.arrow", "kernel.py"}
    assert receipt.size >= 101 and len(receipt.digest) == 64
    assert "removed 4 files" in str(receipt)
    assert purge().files == 0
    assert [path for path in own_folders.joinpath("cache").rglob("*") if path.is_file()] == []


def test_purge_removes_no_folder_that_is_not_its_own(tmp_path: Path, own_folders: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("keep")
    registry = own_folders / "cache" / "registry"
    registry.mkdir(parents=True)
    (registry / "work-4194305-0123").write_text(str(precious))
    (own_folders / "cache" / "link").symlink_to(precious)
    purge()
    assert (precious / "file").read_text() == "keep"

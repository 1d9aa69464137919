"""Uploaded archives: hostile ones are refused by name, honest ones come out whole."""

import gzip
import io
import stat
import struct
import tarfile
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lemsite.lib import archives
from lemsite.lib.archives import BadArchive, Entry, unpack, unpack_all

FILES = [("c1/result.json", b'{"a": 1}'), ("c1/config.json", b"{}")]


def zipped(files, compression=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as opened:
        for name, content in files:
            opened.writestr(name, content)
    return out.getvalue()


def tarred(files, mode="w"):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as opened:
        for name, content in files:
            member = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            member.size = len(content)
            opened.addfile(member, io.BytesIO(content))
    return out.getvalue()


def read(content, name="upload.zip"):
    return unpack(name, io.BytesIO(content))


def refused(content, name="upload.zip"):
    with pytest.raises(BadArchive) as caught:
        read(content, name)
    return str(caught.value)


@pytest.mark.parametrize(
    "content",
    [zipped(FILES), zipped(FILES, zipfile.ZIP_STORED), tarred(FILES), tarred(FILES, "w:gz")],
    ids=["zip", "stored zip", "tar", "tar.gz"],
)
def test_archive_is_known_by_its_bytes_whatever_its_name(content):
    assert read(content, "anything.json") == [Entry(name, data) for name, data in FILES]


def test_any_other_file_is_one_entry():
    assert read(b'{"a": 1}', "result.json") == [Entry("result.json", b'{"a": 1}')]


def test_a_single_gzipped_file_loses_its_ending():
    assert read(gzip.compress(b"{}"), "result.json.gz") == [Entry("result.json", b"{}")]


def test_folders_and_the_litter_of_file_managers_are_skipped():
    files = [("a/", b""), ("a/.DS_Store", b"x"), ("__MACOSX/a/._r.json", b"x"), ("./a/r.json", b"{}")]

    assert read(zipped(files)) == [Entry("a/r.json", b"{}")]
    assert read(tarred([("./a/r.json", b"{}")])) == [Entry("a/r.json", b"{}")]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../../x.json", "leaves its folder"),
        ("a/../../x.json", "leaves its folder"),
        ("a\\..\\..\\x.json", "leaves its folder"),
        ("../", "leaves its folder"),
        ("/etc/passwd", "absolute path"),
        ("\\\\server\\x", "absolute path"),
        ("C:\\x.json", "absolute path"),
        ("a\x1b[2J.json", "not printable"),
        ("a\u202egnp.json", "not printable"),
        ("x" * 300, "too long"),
    ],
)
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_dangerous_names_are_refused(name, why, pack):
    assert why in refused(pack([(name, b"{}")]))


def test_a_name_cut_off_by_a_nul_is_refused():
    content = zipped([("aXb.json", b"{}")]).replace(b"aXb.json", b"a\x00b.json")

    assert "not printable" in refused(content)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("second", ["a.json", "A.JSON", "./a.json", "\uff41.json"])
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_one_name_twice_is_refused(second, pack):
    assert "twice" in refused(pack([("a.json", b"{}"), (second, b"[]")]))


def test_links_in_a_zip_are_refused():
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16

    assert "a link" in refused(zipped([(info, b"/etc/passwd")]))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar_are_refused(kind):
    member = tarfile.TarInfo("thing")
    member.type = kind
    member.linkname = "/etc/passwd"

    assert "a link or a device" in refused(tarred([(member, b"")]))


@pytest.mark.parametrize(
    "inner",
    [zipped(FILES), tarred(FILES), gzip.compress(b"x"), b"7z\xbc\xaf\x27\x1c"],
    ids=["zip", "tar", "gzip", "7z"],
)
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_archives_inside_archives_are_refused(inner, pack):
    assert "'inner.dat'" in refused(pack([("inner.dat", inner)]))


def test_gzip_of_an_archive_is_refused():
    assert "archive inside" in refused(gzip.compress(zipped(FILES)), "a.zip.gz")


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_too_many_entries_are_refused(pack):
    assert "400 entries" in refused(pack([(f"{number}.json", b"{}") for number in range(401)]))


def test_zip_that_lies_about_its_number_of_entries_is_refused():
    content = bytearray(zipped([(f"{number:0200}", b"") for number in range(2500)]))
    content[-14:-10] = struct.pack("<HH", 1, 1)

    assert "400 entries" in refused(bytes(content))


@pytest.mark.parametrize(
    "content",
    [
        zipped([("zeros.json", bytes(8 << 20))]),
        gzip.compress(bytes(8 << 20)),
        tarred([("zeros.json", bytes(8 << 20))], "w:gz"),
    ],
    ids=["zip", "gz", "tar.gz"],
)
def test_bombs_are_refused_by_their_ratio(content):
    assert "100 times" in refused(content)


@pytest.mark.parametrize("pack", [zipped, tarred, lambda files: tarred(files, "w:gz")])
def test_large_entries_and_sums_are_refused(pack, monkeypatch):
    content = pack([("a.json", bytes(range(256)) * 40), ("b.json", bytes(range(256)) * 40)])
    monkeypatch.setattr(archives, "MAX_TOTAL_BYTES", 15_000)
    monkeypatch.setattr(archives, "MAX_ENTRIES", 20)
    assert "unpacks to more" in refused(content)

    monkeypatch.setattr(archives, "MAX_ENTRY_BYTES", 5_000)
    assert "'a.json'" in refused(content)


def test_large_single_file_is_refused(monkeypatch):
    monkeypatch.setattr(archives, "MAX_ENTRY_BYTES", 10)

    assert "result.json is larger" in refused(b"x" * 11, "result.json")


def test_size_that_a_zip_states_is_not_believed():
    content = bytearray(zipped([("a.json", bytes(4 << 20))]))
    at = content.rfind(b"PK\x01\x02")
    content[at + 24 : at + 28] = struct.pack("<I", 10)

    assert "upload.zip" in refused(bytes(content))


def test_password_is_refused():
    content = bytearray(zipped(FILES))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(signature)
        content[at + offset] |= 1

    assert "password" in refused(bytes(content))


@pytest.mark.parametrize(
    "start", [b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\xfd7zXZ\x00", b"BZh9", b"\x28\xb5\x2f\xfd"]
)
def test_other_kinds_of_archives_are_named(start):
    assert "send a zip, tar or tar.gz instead" in refused(start + b"x" * 20, "my.7z")


@pytest.mark.parametrize(
    "content",
    [zipped(FILES), tarred(FILES, "w:gz"), gzip.compress(b"{}" * 99)],
    ids=["zip", "tar.gz", "gzip"],
)
def test_archives_cut_off_are_refused(content):
    assert "damaged or cut off" in refused(content[: len(content) // 2])


def test_several_uploads_keep_archives_apart():
    uploads = [
        ("a.zip", io.BytesIO(zipped(FILES))),
        ("b.zip", io.BytesIO(zipped(FILES))),
        ("config.json", io.BytesIO(b"{}")),
    ]

    paths = [entry.path for entry in unpack_all(uploads)]

    assert paths == [
        "a.zip/c1/result.json",
        "a.zip/c1/config.json",
        "b.zip/c1/result.json",
        "b.zip/c1/config.json",
        "config.json",
    ]


def test_one_archive_alone_keeps_its_paths():
    assert [entry.path for entry in unpack_all([("a.zip", io.BytesIO(zipped(FILES)))])] == [name for name, _ in FILES]


def test_several_uploads_share_the_limits(monkeypatch):
    monkeypatch.setattr(archives, "MAX_TOTAL_BYTES", 15)
    uploads = [(f"{number}.json", io.BytesIO(b"0123456789")) for number in range(2)]

    with pytest.raises(BadArchive, match="together"):
        unpack_all(uploads)


def test_odd_characters_in_the_uploads_own_name_are_replaced():
    assert read(b"{}", "a\n\x1bb.json")[0].path == "a??b.json"


SEEDS = [zipped(FILES), tarred(FILES), tarred(FILES, "w:gz"), gzip.compress(b"{}")]


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(SEEDS), st.data())
def test_damaged_archives_give_entries_or_a_refusal(seed, data):
    content = bytearray(seed)
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))

    try:
        entries = read(bytes(content[:cut]))
    except BadArchive:
        return
    assert all(isinstance(entry, Entry) for entry in entries)

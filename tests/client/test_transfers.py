"""Files to the site and from it: whole, or not at all."""

import hashlib
import io
import zipfile

import httpx2
import pytest

from gpuagent.client import BadRequest, Damaged, NotFound, NothingToSend, WaitedTooLong
from gpuagent.client.uploads import parts_of

from .answers import Answers, error, sync_client


def test_a_download_is_there_whole_or_not_at_all(tmp_path, slept):
    target = tmp_path / "board.csv"
    target.write_text("old")

    class Broken(httpx2.SyncByteStream):
        def __iter__(self):
            yield b"half"
            raise httpx2.ReadError("cut")

    answers = Answers(httpx2.Response(200, stream=Broken()), b"whole")
    got = sync_client(answers).benchmarks.export(target)

    assert target.read_text() == "whole"
    assert (got.path, got.size_bytes, got.sha256) == (target, 5, hashlib.sha256(b"whole").hexdigest())
    with pytest.raises(NotFound):
        sync_client(Answers(error(404))).benchmarks.export(target)
    assert target.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [target]


def test_a_pipe_does_not_get_the_first_half_twice(slept):
    class Broken(httpx2.SyncByteStream):
        def __iter__(self):
            yield b"half" * 50_000
            raise httpx2.ReadError("cut")

    class Pipe(io.BytesIO):
        def tell(self):
            raise OSError

    with pytest.raises(Damaged, match="pipe"):
        sync_client(lambda request: httpx2.Response(200, stream=Broken())).benchmarks.export(Pipe())


def test_a_dump_with_another_digest_is_not_kept(tmp_path):
    row: dict = dict.fromkeys(("parquet_url", "card_url", "schema_url", "checksum_url"), "http://localhost:1/f")
    row |= {"version": "v", "made_at": "2026-01-01T00:00:00Z", "data_version": 1, "rows": 1, "size_bytes": 1}
    answers = Answers({"results": [row | {"sha256": "0" * 64}], "next": None}, b"x")
    client = sync_client(answers)

    with pytest.raises(Damaged, match="should have 0000"):
        client.dumps.download(next(client.dumps.list()), tmp_path / "dump.parquet")

    assert list(tmp_path.iterdir()) == []


def form_of(request):
    return request.read()


def test_files_bytes_and_dicts_are_parts_of_one_form(tmp_path):
    (tmp_path / "a.json").write_text('{"a": 1}')
    answers = Answers(error(400))

    with pytest.raises(BadRequest):
        sync_client(answers).benchmarks.submit(tmp_path / "a.json", {"model": "m"}, b"x,y", stated={"gpu_count": 1})

    body = form_of(answers.asked[0])
    assert body.count(b'name="file"; filename=') == 3
    for part in (b'"a.json"', b'{"a": 1}', b'"result-1.json"', b'{"model": "m"}', b"x,y", b'{"gpu_count": 1}'):
        assert part in body


def zipped(*sources):
    """The one part that folders become: its name, its bytes and the names in it."""
    (part,) = parts_of(sources)
    part.content.seek(0)
    content = part.content.read()
    part.close()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
    return part.name, content, names


def test_a_folder_is_one_zip_without_what_is_hidden(tmp_path):
    for name in ("study/a/result.json", "study/b/result.json", "study/.git/config", "study/.DS_Store"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}")
    (tmp_path / "study" / "link.json").symlink_to("/etc/hostname")

    name, content, names = zipped(tmp_path / "study")

    assert (name, names) == ("study.zip", ["a/result.json", "b/result.json"])
    assert content == zipped(tmp_path / "study")[1]
    assert zipped(tmp_path / "study/a/result.json", tmp_path / "study/b/result.json")[2] == names


def test_nothing_to_send_is_told(tmp_path):
    (tmp_path / "empty").mkdir()

    for sources in ([], [tmp_path / "missing"], [tmp_path / "empty"]):
        with pytest.raises(NothingToSend):
            parts_of(sources)


def test_a_zip_is_gone_when_it_has_been_sent(tmp_path, slept):
    (tmp_path / "study").mkdir()
    (tmp_path / "study/a.json").write_text("{}")
    answers = Answers(error(503), error(400))

    with pytest.raises(BadRequest):
        sync_client(answers).benchmarks.submit(tmp_path / "study")

    first, second = (request.read() for request in answers.asked)
    assert b"study.zip" in first
    assert len(first) == len(second)


def test_a_form_with_files_is_whole_on_every_try(tmp_path, slept):
    (tmp_path / "a.json").write_text('{"a": 1}')
    bodies = []

    def answer(request):
        bodies.append(request.read())
        return error(503) if len(bodies) == 1 else error(400)

    with pytest.raises(BadRequest):
        sync_client(answer).benchmarks.submit(tmp_path / "a.json")

    assert [body.count(b'{"a": 1}') for body in bodies] == [1, 1]


BATCH = {
    "id": "00000000-0000-0000-0000-000000000007", "state": "reading", "url": "u", "files_done": 1, "files_total": 2,
    "refused": [], "submission": None, "submission_url": None,
    "created_at": "2026-01-01T00:00:00Z", "finished_at": None,
}  # fmt: skip


def test_a_batch_is_waited_for_with_progress(slept):
    done = BATCH | {"state": "failed", "refused": [{"file": "x", "message": "not JSON"}]}
    accepted = httpx2.Response(202, json={"batch": {name: BATCH[name] for name in ("id", "state", "url")}})
    seen = []

    answers = Answers(accepted, BATCH, done)
    uploaded = sync_client(answers).benchmarks.upload(b"{}", on_progress=lambda batch: seen.append(batch.files_done))

    assert (uploaded.submission, [one.file for one in uploaded.refused]) == (None, ["x"])
    assert (len(seen), slept) == (2, [1.0])
    with pytest.raises(WaitedTooLong, match="1 of 2 files"):
        sync_client(Answers(BATCH)).batches.wait("7", timeout_s=0)

"""The public entry: detection, refusals, and that nothing but ImportRefused ever comes out."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leaderboard.importers import Imported, ImportRefused, import_files
from leaderboard.normal import ParsedResult
from lemsite.lib.archives import Entry
from tests.leaderboard.importers import samples

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "llenergymeasure"
#: files of the data folder that are no results by themselves, and a word of the reason
REFUSED_ALONE = {
    "environment.json": "holds no result",
    "system.json": "holds no result",
    "config.json": "holds no result",
    "manifest.json": "whole folder",
    "equivalence_groups.json": "holds no result",
    "baseline_cache_local_transformers.json": "holds no result",
    "process_0_timeseries.json": "holds no result",
    "process_1_timeseries.json": "holds no result",
    "process_0.json": "aggregated",
    "process_1.json": "aggregated",
}
ACCEPTED_PROCESS = "v1_3.0.0/raw/exp_20260204_150000_0042/process_0.json"


def all_files():
    skipped = ("schemas", "yaml")
    return sorted(
        str(path.relative_to(DATA))
        for path in DATA.rglob("*")
        if path.is_file() and path.relative_to(DATA).parts[0] not in skipped
    )


@pytest.mark.parametrize("name", all_files() or ["the shared data folder is not here"])
def test_every_file_of_the_data_folder_is_read_or_clearly_refused(name, shared_data):
    content = (shared_data / "llenergymeasure" / name).read_bytes()
    path = Path(name)
    is_refused = path.suffix != ".json" or (path.name in REFUSED_ALONE and name != ACCEPTED_PROCESS)

    if not is_refused:
        assert import_files([Entry(path.name, content)]).results
        return
    with pytest.raises(ImportRefused) as caught:
        import_files([Entry(path.name, content)])

    assert caught.value.message.startswith(f"{path.name}: ")
    assert REFUSED_ALONE.get(path.name, "") in caught.value.message


@pytest.mark.parametrize("shape", samples.ALL)
def test_each_sample_is_recognised_as_its_shape(shape):
    imported = import_files(samples.ALL[shape]())

    assert imported.shape == shape
    assert all(isinstance(result, ParsedResult) for result in imported.results)
    assert all(result.identity for result in imported.results)


@pytest.mark.parametrize("shape", samples.ALL)
def test_reading_twice_gives_the_same(shape):
    assert import_files(samples.ALL[shape]()) == import_files(samples.ALL[shape]())


@pytest.mark.parametrize("shape", samples.ALL)
def test_units_agree_with_each_other(shape):
    for result in import_files(samples.ALL[shape]()).results:
        values = result.values
        if values.throughput_tokens_per_s and values.duration_s and not result.cycles:
            assert values.throughput_tokens_per_s * values.duration_s == pytest.approx(values.output_tokens, rel=0.01)
        if values.tokens_per_joule and values.energy_per_output_token_j and not result.cycles:
            assert values.tokens_per_joule * values.energy_per_output_token_j == pytest.approx(1, rel=0.01)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\x89PNG\r\n\x1a\n", "a PNG picture, not JSON"),
        (b"\xff\xd8\xff\xe0", "a JPEG picture"),
        (b"", "it is empty"),
        (b'{"total_tokens": 19', "cut off"),
        (b'{"total_tokens": "19', "cut off"),
        (b'{"total_tokens": }', "not valid JSON at line 1"),
        ('{"model": "é"}'.encode("latin-1"), "not UTF-8"),
        ('{"model": 1}'.encode("utf-16"), "UTF-16"),
        (b'{"total_energy_j": NaN}', "NaN"),
        (b'{"total_energy_j": Infinity}', "Infinity"),
        (b'{"total_energy_j": 1e400}', "out of range"),
        (b'{"a": 1, "a": 2}', "same key twice"),
        (b"[" * 100_000, "nested more than 32"),
        (b'{"a": "\\u0000"}', "NUL"),
        (b"[]", "empty list"),
        (b'{"results": []}', "empty list"),
        (b"{}", "none of the shapes"),
        (b"[1, 2]", "none of the shapes"),
        (b"null", "none of the shapes"),
        (b'"text"', "none of the shapes"),
        (b'{"schema_version": "2.0"}', "none of the shapes"),
    ],
)
def test_unreadable_content_is_refused_in_one_sentence_naming_the_file(content, problem):
    with pytest.raises(ImportRefused) as caught:
        import_files([Entry("mine.json", content)])

    assert caught.value.file.startswith("mine.json")
    assert caught.value.message.startswith("mine.json")
    assert problem in caught.value.message


def test_no_files_and_files_without_results_are_refused():
    with pytest.raises(ImportRefused, match="no file"):
        import_files([])
    with pytest.raises(ImportRefused, match="no result"):
        import_files([samples.entry(samples.config_side(), "config.json"), Entry("log.txt", b"x")])


def test_one_broken_file_refuses_the_upload():
    with pytest.raises(ImportRefused) as caught:
        import_files([samples.entry(samples.result_2(), "a.json"), Entry("b.json", b"{")])

    assert caught.value.file == "b.json"


def test_too_many_results_are_refused():
    with pytest.raises(ImportRefused, match="2000 results"):
        import_files([samples.entry([samples.normal()] * 2001)])


def test_files_that_are_too_large_together_are_refused():
    big = b"[" + b"1," * 900_000 + b"1]"

    with pytest.raises(ImportRefused, match="split the upload"):
        import_files([Entry(f"{number}.json", big) for number in range(3)])


def test_warnings_of_the_tool_lose_local_paths():
    result = import_files([samples.entry(samples.result_2(measurement_warnings=["see /home/alice/run.log"]))]).results[
        0
    ]

    assert result.warnings == ["see [removed]"]


FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(
        ["1e400", "-1", "2026-13-01", "0001-01-01T00:00:00+23:59", "/home/x", 0, -1, 2**63, 1e308, 1e-308]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def gives_result_or_refusal(entries):
    try:
        imported = import_files(entries)
    except ImportRefused:
        return
    assert isinstance(imported, Imported)
    assert imported.results


@FUZZ
@given(st.binary(max_size=300), st.sampled_from(["a.json", "a.csv", "a", "a.yaml"]))
def test_any_bytes_give_a_result_or_a_refusal(content, name):
    gives_result_or_refusal([Entry(name, content)])


@FUZZ
@given(st.text(max_size=300))
def test_any_csv_rows_give_a_result_or_a_refusal(text):
    header = "model,output_tokens,started_at,total_energy_j,prefix_caching\n"
    gives_result_or_refusal([Entry("a.csv", (header + text).encode("utf-8", "surrogatepass"))])


def places(value, path=()):
    """Every place inside a JSON value."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def put(value, path, junk, *, drop):
    if not path:
        return junk
    for step in path[:-1]:
        value = value[step]
    if drop:
        del value[path[-1]]
    else:
        value[path[-1]] = junk
    return None


@settings(FUZZ, max_examples=600)
@given(st.data())
def test_any_mutated_sample_gives_a_result_or_a_refusal(data):
    entries = samples.ALL[data.draw(st.sampled_from([shape for shape in samples.ALL if shape != "normal_csv"]))]()
    place = data.draw(st.integers(0, len(entries) - 1))
    content = json.loads(entries[place].content)
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(list(places(content))))
        replaced = put(content, path, data.draw(JUNK), drop=data.draw(st.booleans()))
        if not path:
            content = replaced
            break
    entries[place] = Entry(entries[place].path, json.dumps(content).encode())

    gives_result_or_refusal(entries)

"""What may not be stored is taken out, and what is no secret stays."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard.importers import import_files
from leaderboard.redaction import is_local_path, redact_document, redact_value
from lemsite.lib.archives import Entry
from lemsite.lib.strict_json import BadJson
from tests.leaderboard.importers import samples

UUID = "GPU-1b2c3d4e-5f60-7182-93a4-b5c6d7e8f901"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcDEF123-_"

PATHS = [
    "/tmp/pytest-of-root/run0",
    "/home/alice/models/llama",
    "/home",
    "/mnt",
    "~/results",
    "~bob/results",
    "$HOME/run",
    "file:///home/alice/x.json",
    "C:\\Users\\Alice Smith\\run",
    "d:/work/run",
    "\\\\server\\share\\x",
    "/cluster/scratch/user/x",
]
SECRETS = [
    "sk-proj-abcdefghijklmnop1234",
    "hf_abcdefghijklmnopqrstuv",
    "ghp_abcdefghijklmnopqrstuv",
    "github_pat_11ABCDEFG0abcdefghij",
    "glpat-abcdefghij1234567890",
    "nvapi-abcdefghij1234567890",
    "xoxb-1234567890-abcdef",
    "AKIAIOSFODNN7EXAMPLE",
    "AIza" + "x" * 35,
    JWT,
    f"Bearer {JWT}",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
]
HARMLESS = [
    "meta-llama/Llama-3.1-8B",
    "gpt2",
    "https://huggingface.co/meta-llama/Llama-3.1-8B/home/x",
    "s3://bucket/key/part",
    "results/raw/exp_1/process_0.json",
    "gpt2_pytorch/result.json",
    "447 tokens/s and 2.8 tokens/J at 1/2 load",
    "energy per token: 0.356310664 J",
    "2026-03-13T14:21:11.145237",
    "vllm/vllm-openai@sha256:0123456789abcdef",
    "/v1/chat/completions",
    "GPU-Util",
    "sk-short",
    "transformers==5.3.0",
    "nvidia-curand-cu12==10.3.5.147",
    "http://127.0.0.1:8000",
    "http://localhost:8000",
    "local attention at 8.10.2.1",
    "172.4 tokens/s",
    "vllm.localhost",
]


@pytest.mark.parametrize("text", [*PATHS, *SECRETS, UUID, "alice@example.org", "root@gpu-node-7"])
def test_a_value_that_is_only_private_becomes_null(text):
    assert redact_value({"note": text}) == ({"note": None}, ["note"])


@pytest.mark.parametrize("text", ["/data/x/run.log", *SECRETS[:-1], UUID, "alice@example.org"])
def test_inside_a_sentence_only_the_private_part_is_replaced(text):
    clean, removed = redact_value({"note": f"see {text} for more"})

    assert clean == {"note": "see [removed] for more"}
    assert removed == ["note"]


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_text_stays(text):
    assert redact_value({"note": text}) == ({"note": text}, [])


@pytest.mark.parametrize(
    "text",
    [
        "--api-key abcdef123",
        "--hf-token=abcdef123",
        "api_key: abcdef123",
        "password=hunter2x",
        '"token": "abcdef123"',
        "Authorization: Basic dXNlcjpwYXNz",
        "curl https://alice:pa55word@host.example/x",
    ],
)
def test_secrets_in_command_lines_are_replaced(text):
    clean, _ = redact_value({"cli_command": f"run {text} end"})

    assert "abcdef123" not in clean["cli_command"]
    assert "hunter2x" not in clean["cli_command"]
    assert "dXNlcjpwYXNz" not in clean["cli_command"]
    assert "pa55word" not in clean["cli_command"]
    assert clean["cli_command"].endswith(" end")


@pytest.mark.parametrize(
    "key",
    [
        "api_key", "apiKey", "OPENAI_API_KEY", "hf_token", "accessToken", "password", "client_secret", "secret_key",
        "Authorization", "hostname", "measurement_host", "host", "username", "output_dir", "private_key",
    ],
)  # fmt: skip
def test_values_under_private_names_are_removed(key):
    assert redact_value({"a": {key: "anything"}}) == ({"a": {key: None}}, [f"a.{key}"])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("output_tokens", 640),
        ("token_counting", "client_streamed_deltas"),
        ("eos_token", "</s>"),
        ("hostname", None),
        ("hostname", ""),
        ("api_key", 0),
        ("model", "org/name@main"),
        ("model", "gpt2@main"),
    ],
)
def test_values_under_public_names_stay(key, value):
    assert redact_value({key: value}) == ({key: value}, [])


def test_package_lists_are_removed_as_a_whole():
    clean, removed = redact_value({"environment_snapshot": {"installed_packages": ["a==1", "b==2"]}})

    assert clean == {"environment_snapshot": {"installed_packages": None}}
    assert removed == ["environment_snapshot.installed_packages"]


def test_lists_keep_their_length_and_places_are_named():
    clean, removed = redact_value({"runs": [{"log": "/var/log/x"}, {"log": "x.log"}], "notes": ["/home/a/b", "fine"]})

    assert clean == {"runs": [{"log": None}, {"log": "x.log"}], "notes": ["[removed]", "fine"]}
    assert removed == ["runs[0].log", "notes[0]"]


def test_names_of_keys_are_cleaned_too():
    clean, removed = redact_value({"/home/alice/a": 1, "/home/alice/b": 2, UUID: 3})

    assert clean == {"[removed]": 1, "[removed]+": 2, "[removed]++": 3}
    assert removed == ["[removed]", "[removed]+", "[removed]++"]


def test_values_that_are_no_text_stay():
    assert redact_value([1, 2.5, None, True, {"b": []}]) == ([1, 2.5, None, True, {"b": []}], [])


@pytest.mark.parametrize(("text", "is_path"), [(path, True) for path in PATHS] + [(text, False) for text in HARMLESS])
def test_local_paths_are_told_from_names_and_addresses(text, is_path):
    assert is_local_path(text) is is_path


def test_document_without_anything_private_comes_back_byte_for_byte():
    content = b'{ "model":"gpt2" }'

    redacted = redact_document(content, name="a.json")

    assert (redacted.content, redacted.removed) == (content, [])


def test_redacted_result_is_still_the_same_result():
    original = samples.entry(samples.result_2())

    redacted = redact_document(original.content, name=original.path)

    assert redacted.removed == ["environment_snapshot.installed_packages", "effective_config.output_dir"]
    before, after = (
        import_files([Entry("r.json", content)]).results[0] for content in (original.content, redacted.content)
    )
    changed = {name for name, value in before.values if value != getattr(after.values, name)}
    assert changed == {"backend_version"}
    assert after.identity == before.identity


def test_redacting_twice_removes_nothing_more():
    once = redact_document(samples.entry(samples.result_2()).content, name="r.json")

    assert redact_document(once.content, name="r.json").removed == []


def test_csv_cells_are_redacted():
    content = b"model,dataset,output_tokens\n/home/alice/llama,alice@example.org,640\ngpt2,x,1\n"

    redacted = redact_document(content, name="table.CSV")

    assert redacted.content == b"model,dataset,output_tokens\r\n,,640\r\ngpt2,x,1\r\n"
    assert redacted.removed == ["row 2, model", "row 2, dataset"]


def test_yaml_is_redacted_and_stays_yaml():
    content = (
        b"run:\n  user: alice\n  when: 2026-03-14\nargs:\n  --api-key: abc\n  limit: .inf\n  note: see /home/alice/x\n"
    )

    redacted = redact_document(content, name="report.YAML")

    assert redacted.removed == ["run.user", "args.--api-key", "args.note"]
    assert redacted.content == (
        b"run:\n  user: null\n  when: '2026-03-14'\nargs:\n  --api-key: null\n  limit: '.inf'\n  note: see [removed]\n"
    )


def test_yaml_without_anything_private_comes_back_byte_for_byte():
    content = b"model:   gpt2\nlimit: .inf\n"

    assert redact_document(content, name="r.yml").content == content


def test_comments_of_yaml_are_not_stored_for_nothing_can_look_into_them():
    redacted = redact_document(b"# run by alice on node7\nmodel: gpt2 # password: hunter2\n", name="r.yml")

    assert (redacted.content, redacted.removed) == (b"model: gpt2\n", ["comments"])


@pytest.mark.parametrize(
    "text",
    [
        "gateway.team.svc.cluster.local",
        "node7.internal",
        "10.39.39.3",
        "192.168.1.20",
        "172.16.0.1",
    ],
)
def test_machines_inside_a_network_are_removed(text):
    assert redact_value({"note": text}) == ({"note": None}, ["note"])
    assert redact_value({"base_url": f"http://{text}:80/v1"})[0] == {"base_url": "http://[removed]:80/v1"}


def test_csv_without_anything_private_comes_back_byte_for_byte():
    content = b"model,output_tokens\ngpt2,1\n"

    assert redact_document(content, name="t.csv").content == content


def test_csv_columns_with_private_names_and_cells_beyond_the_header():
    redacted = redact_document(b"hostname,model\nnode7,gpt2,/home/a/b\n", name="t.csv")

    assert redacted.removed == ["row 2, hostname", "row 2, 3"]


@pytest.mark.parametrize(
    ("content", "name"),
    [(b"{", "a.json"), (b"\xff", "a.csv"), (b"\x89PNG", "a.json"), (b"a: *x", "a.yml")],
    ids=["json", "csv", "picture", "yaml"],
)
def test_unreadable_documents_raise_bad_json(content, name):
    with pytest.raises(BadJson):
        redact_document(content, name=name)


def test_real_results_lose_what_is_private(shared_data):
    folder = Path(shared_data) / "llenergymeasure"
    for path in folder.rglob("*.json"):
        if "schemas" in path.parts:
            continue
        text = redact_document(path.read_bytes(), name=path.name).content.decode()

        assert "/tmp/" not in text
        assert '"installed_packages": [' not in text
        assert '"measurement_host": "' not in text


LEAVES = st.none() | st.integers() | st.text(max_size=30) | st.sampled_from([*PATHS, *SECRETS, UUID])
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3)
)


@settings(max_examples=200, deadline=None)
@given(VALUES)
def test_no_listed_secret_survives_anywhere(value):
    clean = json.dumps(redact_value(value)[0], ensure_ascii=False)

    assert not any(json.dumps(secret, ensure_ascii=False) in clean for secret in [*PATHS, *SECRETS, UUID])


LOG = b'{"hostname": "node7", "watts": 1}\n\n{"hostname": "node8", "watts": 2}\n{"watts": 3}\n'


def test_of_a_log_each_line_is_redacted_and_what_was_removed_is_listed_once():
    redacted = redact_document(LOG, name="a/gpu.jsonl")

    assert redacted.removed == ["each line, hostname"]
    assert redacted.content == b'{"hostname": null, "watts": 1}\n\n{"hostname": null, "watts": 2}\n{"watts": 3}\n'


def test_a_log_with_nothing_to_remove_comes_back_byte_for_byte():
    content = b'{"watts":1}\r\n\n{"watts":  2}'

    assert redact_document(content, name="gpu.jsonl").content == content


def test_a_log_with_an_unreadable_line_raises_bad_json():
    with pytest.raises(BadJson):
        redact_document(LOG + b"{", name="gpu.jsonl")


@pytest.mark.parametrize(
    ("command", "left"),
    [
        ('run --api-key "a secret word" --concurrency 2', "run [removed] --concurrency 2"),
        ("run --api-key 'a secret word' -x", "run [removed] -x"),
        ("run --auth-token=abcdefgh -x", "run [removed] -x"),
        ('run --max-tokens "200"', 'run --max-tokens "200"'),
        ("run --max-token 5", "run --max-token 5"),
    ],
)
def test_a_key_on_a_command_line_goes_also_in_quotes(command, left):
    assert redact_value({"cli_command": command})[0] == {"cli_command": left}


def test_a_setting_written_as_a_pair_is_judged_by_its_name():
    value = {"extra": [["min_tokens", 200], ["api_key", "secret words"], ["Authorization", "Basic"]]}

    clean, removed = redact_value(value)

    assert clean == {"extra": [["min_tokens", 200], ["api_key", "[removed]"], ["Authorization", "[removed]"]]}
    assert removed == ["extra[1][1]", "extra[2][1]"]

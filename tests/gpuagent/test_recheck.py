"""The host looks at a configuration by a list of its own."""

import pytest
import yaml

from gpuagent.host.recheck import ConfigRefused, check_llem, parse

from .fake_site import CONFIG


def document(**changes):
    found = yaml.safe_load(CONFIG)
    for place, value in changes.items():
        at = found
        *above, last = place.split("__")
        for name in above:
            at = at.setdefault(name, {})
        at[last] = value
    return found


def test_what_the_site_writes_is_allowed():
    check_llem(document(), model="Qwen/Qwen2.5-0.5B")


@pytest.mark.parametrize(
    "changes",
    [
        {"transformers__engine_params__trust_remote_code": True},
        {"transformers__passthrough_kwargs": {"trust_remote_code": True}},
        {"transformers__engine_params__weights_only": False},
        {"vllm__engine_params__worker_cls": "os.system"},
        {"vllm__engine_params__hf_overrides": {}},
        {"vllm__engine_params__download_dir": "/"},
        {"task__model": "/etc/passwd"},
        {"task__model": "a/../b"},
        {"task__dataset__source": "/etc/passwd.jsonl"},
        {"task__lora": {"adapter_path": "x"}},
        {"runners": {"transformers": "container:evil"}},
        {"images": {"transformers": "evil"}},
        {"outputs": {"results_dir": "/"}},
        {"transformers__engine_params__dtype": "../../x"},
        {"transformers__llem_execution__batch_size": True},
        {"transformers__llem_execution__batch_size": 10**9},
        {"sweep": {"transformers.engine_params.trust_remote_code": [True]}},
        {"sweep": {"transformers.precision": [{"transformers.engine_params.trust_remote_code": True}]}},
        {"sweep": {"task.model": ["/etc/passwd"]}},
        {"sweep": []},
    ],
    ids=str,
)
def test_nothing_that_runs_code_reads_files_or_leaves_the_host_is_allowed(changes):
    with pytest.raises(ConfigRefused):
        check_llem(document(**changes))


@pytest.mark.parametrize(
    "sweep",
    [
        {"transformers.llem_execution.batch_size": [1, 8]},
        {"transformers.precision": [{"transformers.engine_params.dtype": "float16"}]},
    ],
    ids=["values", "group"],
)
def test_a_sweep_over_what_may_be_set_is_allowed(sweep):
    check_llem(document(sweep=sweep))


def test_an_offer_of_another_model_than_its_configuration_is_refused():
    with pytest.raises(ConfigRefused, match=r"task\.model"):
        check_llem(document(), model="other/model")


@pytest.mark.parametrize(
    "text",
    ["a: &a [1]\nb: *a", "a: !!python/object/apply:os.system [ls]", "a: !x 1", "[" * 5000, "\x00", "- 1"],
    ids=["alias", "python", "tag", "deep", "nul", "list"],
)
def test_yaml_that_could_grow_or_be_more_than_data_is_refused(text):
    with pytest.raises(ConfigRefused):
        check_llem(parse(text))

"""The client follows docs/openapi.yaml: whatever the site can be asked has a method, and nothing else has."""

import inspect
import io
import re
import uuid
from contextlib import suppress
from typing import get_type_hints

import httpx2
import pytest

from gpuagent.client import Client, LemError
from gpuagent.client.calls import Call, Group, Listing
from gpuagent.client.filters import Filters

from . import generate

DESCRIBED = generate.description()
OPERATIONS = generate.operations(DESCRIBED)
#: which kind of job is ordered is in the method's name
IMPLIED = {"jobs_create": {"kind"}}
#: these look something up before they ask for what they are named after
COMPOSED = {("benchmarks", "raw"), ("jobs", "follow_log")}
VALUES = {"sources": b"{}", "to": io.BytesIO(), "config": {}, "stated": {}, "reason": "x", "name": "a/b"}


def groups():
    client = Client("http://localhost", "")
    return {"": client} | {name: value for name, value in vars(client).items() if isinstance(value, Group)}


METHODS = {
    (place, name): method
    for place, group in groups().items()
    for name, method in inspect.getmembers(type(group))
    if isinstance(method, (Call, Listing))
}


def by_operation():
    found: dict[str, list] = {}
    for place, method in METHODS.items():
        for operation in method.operations:
            found.setdefault(operation, []).append((place, method))
    return found


@pytest.mark.parametrize("name", ["models", "filters"])
def test_the_generated_files_are_what_the_generator_makes(name):
    made = getattr(generate, name)(DESCRIBED)

    assert (generate.PACKAGE / f"{name}.py").read_text() == made, "run: python -m tests.client.generate"


def test_every_operation_has_a_method_and_every_method_names_operations_that_exist():
    assert set(by_operation()) == set(OPERATIONS)


def accepted(methods):
    names = set()
    for _, method in methods:
        for parameter in inspect.signature(method.steps).parameters.values():
            names |= {parameter.name}
            if parameter.kind is parameter.VAR_KEYWORD:
                names |= set(get_type_hints(Filters))
    return names


def asked_for(operation):
    """The names of an operation's query and of its JSON body."""
    names = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"}
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    if "$ref" in body:
        names |= set(DESCRIBED["components"]["schemas"][body["$ref"].rpartition("/")[2]]["properties"])
    return names


def test_every_parameter_of_every_operation_is_accepted():
    told_by_the_name = {"dry_run"}
    methods = by_operation()

    missing = {
        name: left
        for name, (_, _, operation) in OPERATIONS.items()
        if (left := asked_for(operation) - accepted(methods[name]) - IMPLIED.get(name, set()) - told_by_the_name)
    }

    assert missing == {}


def placeholders(method):
    values, named = [], {}
    for parameter in list(inspect.signature(method.steps).parameters.values())[1:]:
        value = VALUES.get(parameter.name, str(uuid.UUID(int=7)))
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty:
            named[parameter.name] = value
        elif parameter.kind in {parameter.POSITIONAL_OR_KEYWORD, parameter.VAR_POSITIONAL}:
            values.append(value)
    return values, named


def first_request(place, method, **more):
    seen = []

    def refuse(request):
        seen.append(request)
        return httpx2.Response(404, json={"error": {"code": "not_found", "message": "No.", "fields": {}}})

    client = Client("http://localhost", "", transport=httpx2.MockTransport(refuse))
    values, named = placeholders(method)
    bound = getattr(getattr(client, place[0]) if place[0] else client, place[1])
    with suppress(LemError):
        next(iter(bound(*values, **named, **more)))
    return seen[0].method, seen[0].url.raw_path.decode().partition("?")[0]


def test_every_method_asks_for_the_path_of_its_operation():
    wrong = []
    for place, method in METHODS.items():
        if place in COMPOSED:
            continue
        for operation in method.operations:
            more = {"file_format": operation.partition("_")[2]} if place[1] == "export" else {}
            verb, path = first_request(place, method, **more)
            expected = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(OPERATIONS[operation][1]))
            if verb != OPERATIONS[operation][0] or not re.fullmatch(expected, path):
                wrong.append((place, operation, verb, path))

    assert wrong == []


def test_every_method_says_what_it_does():
    assert [place for place, method in METHODS.items() if not (method.steps.__doc__ or "").strip()] == []

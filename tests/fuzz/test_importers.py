"""Any file at any importer ends in results or in a reason, twice the same."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from benchmarks.attacks.importers import SHAPES, changed_samples, fault_of, fault_of_own_form, loose_files, sample
from leaderboard.importers import import_files


@pytest.mark.parametrize("shape", SHAPES)
def test_a_sample_of_each_shape_is_read_without_fault(shape):
    assert fault_of(sample(shape)) == ""


@pytest.mark.parametrize("shape", SHAPES)
def test_each_result_survives_this_sites_own_form(shape):
    results = import_files(sample(shape)).results

    assert [fault for parsed in results if (fault := fault_of_own_form(parsed))] == []


@settings(max_examples=150, derandomize=True, database=None)
@given(changed_samples())
def test_changed_files_are_read_or_refused(entries):
    assert fault_of(entries) == ""


@settings(max_examples=100, derandomize=True, database=None)
@given(loose_files())
def test_bytes_of_no_shape_are_read_or_refused(entries):
    assert fault_of(entries) == ""

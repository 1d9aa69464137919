"""Labels of clusters name GPUs as NVML does, with dashes for spaces."""

from __future__ import annotations

import pytest

from leaderboard.models import HardwareAlias, UnknownName
from leaderboard.services.catalogue import find_all_targets, map_name, queue_unknown_names
from tests.factories import HardwareFactory, ResultFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("label", "slug"),
    [
        ("NVIDIA-H100-80GB-HBM3", "h100-sxm"),
        ("NVIDIA-H100-PCIe", "h100-pcie"),
        ("NVIDIA-A100-SXM4-80GB", "a100-sxm-80"),
        ("NVIDIA-A100-PCIE-40GB", "a100-pcie-40"),
        ("NVIDIA-L40S", "l40s"),
        ("NVIDIA-GeForce-RTX-4090", "rtx-4090"),
        ("Tesla-V100-SXM2-16GB", "v100-sxm2-16"),
        ("AMD_Instinct_MI300X", "mi300x"),
        ("NVIDIA A100-SXM4-80GB", "a100-sxm-80"),
    ],
)
@pytest.mark.usefixtures("catalogue")
def test_the_label_of_a_cluster_finds_its_gpu(label, slug):
    found = find_all_targets([(None, label, None)])[0].hardware

    assert found is not None
    assert found.slug == slug


@pytest.mark.parametrize("label", ["NVIDIA-A100", "NVIDIA-H100", "Tesla-V100"])
@pytest.mark.usefixtures("catalogue")
def test_a_label_that_fits_several_gpus_finds_none(label):
    assert find_all_targets([(None, label, None)])[0].hardware is None


def test_a_label_that_a_moderator_mapped_is_known_with_dashes_and_with_spaces():
    gpu, result = HardwareFactory(), ResultFactory(hardware=None, hardware_name="ACME-X-9000")
    queue_unknown_names([result])
    unknown = UnknownName.objects.get(kind=UnknownName.Kind.HARDWARE)
    unknown.hardware = gpu

    assert map_name(unknown=unknown, by=None) == 1

    assert HardwareAlias.objects.filter(name="acme x 9000", target=gpu).exists()
    assert find_all_targets([(None, "Acme X 9000", None)])[0].hardware == gpu

"""Who may do what."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission

from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def test_a_moderator_has_the_permission_to_review(moderator):
    assert moderator.is_moderator


def test_neither_an_ordinary_person_nor_staff_moderates(stranger):
    assert not stranger.is_moderator
    assert not UserFactory(is_staff=True).is_moderator


def test_a_superuser_moderates():
    assert UserFactory(is_superuser=True).is_moderator


def test_a_closed_account_moderates_nothing():
    user = UserFactory(is_active=False)
    user.user_permissions.add(Permission.objects.get(codename="moderate"))

    assert not user.is_moderator


def test_people_are_called_by_their_display_name():
    assert str(UserFactory(username="ada")) == "ada"
    assert str(UserFactory(username="ada2", display_name="Ada L.")) == "Ada L."

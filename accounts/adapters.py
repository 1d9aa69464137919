"""What this site decides differently from allauth: who is who at GitHub, what is kept, and where one goes next.

An identity is the provider and its id for the person, never an e-mail address or a name.
"""

from __future__ import annotations

import re
import secrets
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.userkit import filter_users_by_email
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest
from django.shortcuts import render, resolve_url

from accounts.names import MAX_USERNAME, NAME_TAKEN
from accounts.secrets_at_rest import decrypt, encrypt

#: how long failed sign-ins for one name count, as ACCOUNT_RATE_LIMITS says
LOCKED_FOR_S = 900


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # the library ships no types
    """A second factor's secrets are read again at each sign-in, so they are encrypted and not hashed."""

    def encrypt(self, text: str) -> str:
        return encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return decrypt(encrypted_text)

    def get_totp_label(self, user: Any) -> str:
        """The app on the phone shows it: the user name, and nobody's address."""
        return str(user.username)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # the library ships no types
    """Sign-in by password, and what follows a change of e-mail or password."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_taken": NAME_TAKEN,
    }

    def get_email_verification_redirect_url(self, email_address: Any) -> str:
        return resolve_url("accounts:settings" if self.request.user.is_authenticated else "account_login")

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return resolve_url("accounts:settings")

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """429, so that programs understand it as well."""
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError as refused:
            page = render(request, "account/too_many.html", {"message": refused.message}, status=429)
            page["Retry-After"] = str(LOCKED_FOR_S)
            raise ImmediateHttpResponse(page) from None

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Failed sign-ins count by name and address: nobody is locked out by a guesser elsewhere."""
        return f"{self.get_client_ip(request)}:{super()._get_login_attempts_cache_key(request, **credentials)}"


class SocialAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # the library ships no types
    """Sign-in by GitHub: closed where it is not set up, links nothing by itself, keeps no token and little else."""

    error_messages = {
        **DefaultSocialAccountAdapter.error_messages,
        "no_password": "GitHub is your only way in. Set a password first, then you can disconnect it.",
    }

    def get_app(self, request: HttpRequest, provider: str, client_id: str | None = None) -> Any:
        try:
            return super().get_app(request, provider=provider, client_id=client_id)
        except SocialApp.DoesNotExist:
            raise Http404("Sign-in with GitHub is not set up here.") from None

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> Any:
        """A name to start from, and the addresses that GitHub has confirmed; what else it says is not kept."""
        sociallogin.account.extra_data = {"login": str(data.get("username") or "")}
        sociallogin.email_addresses = [address for address in sociallogin.email_addresses if address.verified][:1]
        user = sociallogin.user
        user.username = str(data.get("username") or "")[:MAX_USERNAME]
        user.email = sociallogin.email_addresses[0].email if sociallogin.email_addresses else ""
        return user

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Someone new whose address is taken here signs in as they did before, and connects GitHub there.

        The access token has done its work by now; without it, none reaches the session or the database.
        """
        sociallogin.token = None
        is_new = not sociallogin.is_existing and sociallogin.state.get("process") != "connect"
        if is_new and any(filter_users_by_email(address.email) for address in sociallogin.email_addresses):
            raise ImmediateHttpResponse(render(request, "socialaccount/email_taken.html", status=409))

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> Any:
        """All or nothing: two tabs that finish at once leave one account, and the second is asked to try again."""
        try:
            with transaction.atomic():
                return super().save_user(request, sociallogin, form=form)
        except IntegrityError:
            page = render(request, "socialaccount/authentication_error.html", status=409)
            raise ImmediateHttpResponse(page) from None

    def is_auto_signup_allowed(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Without a question, unless the name at GitHub is not free here."""
        name = sociallogin.user.username
        return bool(name) and free_username(name) == name

    def get_signup_form_initial_data(self, sociallogin: SocialLogin) -> dict[str, str]:
        return {"username": free_username(sociallogin.user.username)}


def free_username(wanted: str) -> str:
    """`wanted` if it may be had, else something close to it that may."""
    adapter = AccountAdapter()
    stem = re.sub(r"[^A-Za-z0-9._-]", "", wanted)[: MAX_USERNAME - 5].strip("-_.") or "user"
    numbered = (f"{start}-{number}" for start in (stem, "user") for number in range(2, 100))
    for name in (wanted, stem, *numbered):
        try:
            return str(adapter.clean_username(name))
        except ValidationError:
            continue
    return f"user-{secrets.token_hex(4)}"

from __future__ import annotations

from typing import Any, ClassVar

from allauth.account.adapter import get_adapter
from allauth.account.forms import (
    AddEmailForm,
    ChangePasswordForm,
    LoginForm,
    ReauthenticateForm,
    ResetPasswordForm,
    ResetPasswordKeyForm,
    SetPasswordForm,
    SignupForm,
)
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as CodeAgainForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.socialaccount.forms import SignupForm as SocialSignupForm
from django import forms
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.shortcuts import render
from django.urls import reverse

from accounts.models import NotificationKind, Preferences, Scope, User
from accounts.names import NAME_TAKEN, clean_display_name
from accounts.services.preferences import PRICES
from accounts.services.tokens import MAX_TOKEN_DAYS
from lemsite.lib.safe_http import MAX_URL


class TokenForm(forms.Form):
    """A new API token."""

    name = forms.CharField(max_length=80, help_text="What it is for, so that you know which to revoke.")
    scopes = forms.MultipleChoiceField(
        choices=Scope.choices, widget=forms.CheckboxSelectMultiple, initial=[Scope.READ, Scope.SUBMIT]
    )
    days = forms.IntegerField(label="Valid for (days)", min_value=1, max_value=MAX_TOKEN_DAYS, initial=90)


class WebhookForm(forms.Form):
    """A new webhook."""

    url = forms.CharField(
        label="Address",
        max_length=MAX_URL,
        widget=forms.URLInput(attrs={"placeholder": "https://example.org/hook", "autocomplete": "off"}),
        help_text="https, on port 443 or 8443, and on the public internet.",
    )
    kinds = forms.MultipleChoiceField(
        label="What it is told",
        required=False,
        choices=NotificationKind.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text="Tick none to be told of everything.",
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not user.is_moderator:
            moderation = NotificationKind.MODERATION
            choices = [kind for kind in NotificationKind.choices if kind[0] != moderation]
            self.fields["kinds"].choices = choices  # type: ignore[attr-defined]  # it is a choice field


class _OwnWords:
    """A form of the library in this site's words: "E-mail" everywhere, and no label repeated inside its field."""

    fields: dict[str, forms.Field]
    LABELS: ClassVar = {
        "email": "E-mail",
        "remember": "Remember me on this device",
        "login": "Username",
        "code": "Code",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs.pop("placeholder", None)
            if name in self.LABELS:
                field.label = self.LABELS[name] + ("" if field.required or name == "remember" else " (optional)")


class SignInForm(_OwnWords, LoginForm):  # type: ignore[misc]  # the library ships no types
    """Name and password."""


class EmailForm(_OwnWords, AddEmailForm):  # type: ignore[misc]  # the library ships no types
    """A new address."""


class ForgottenPasswordForm(_OwnWords, ResetPasswordForm):  # type: ignore[misc]  # the library ships no types
    """Where the link to a new password goes."""


class NewPasswordForm(_OwnWords, ResetPasswordKeyForm):  # type: ignore[misc]  # the library ships no types
    """The new password, behind that link."""


class PasswordChangeForm(_OwnWords, ChangePasswordForm):  # type: ignore[misc]  # the library ships no types
    """The old password and the new one."""


class FirstPasswordForm(_OwnWords, SetPasswordForm):  # type: ignore[misc]  # the library ships no types
    """A password for whoever signed in with GitHub so far."""


class ProofForm(_OwnWords, ReauthenticateForm):  # type: ignore[misc]  # the library ships no types
    """The password once more."""


class CodeForm(_OwnWords, AuthenticateForm):  # type: ignore[misc]  # the library ships no types
    """The second step of signing in."""


class CodeProofForm(_OwnWords, CodeAgainForm):  # type: ignore[misc]  # the library ships no types
    """A code once more."""


class FirstCodeForm(_OwnWords, ActivateTOTPForm):  # type: ignore[misc]  # the library ships no types
    """The first code, which shows that the app was set up right."""


class PasswordSignupForm(_OwnWords, SignupForm):  # type: ignore[misc]  # the library ships no types
    """A new account with a name and a password."""

    def try_save(self, request: HttpRequest) -> Any:
        """All or nothing; of two who ask for one name at the same instant the second hears that it is taken."""
        try:
            with transaction.atomic():
                return super().try_save(request)
        except IntegrityError:
            self.add_error("username", NAME_TAKEN)
            context = {"form": self, "login_url": reverse("account_login")}
            return None, render(request, "account/signup.html", context, status=409)


class GithubSignupForm(SocialSignupForm):  # type: ignore[misc]  # the library ships no types
    """The name, where the one at GitHub is taken here. The e-mail address is the one that GitHub confirmed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.pop("email", None)
        self.fields["username"].help_text = "Letters, digits, and . _ - between them. It stands beside your results."


class SettingsForm(forms.Form):
    """The name shown, the e-mails wanted, and the reader's own prices and grid."""

    display_name = forms.CharField(
        label="Name shown",
        required=False,
        max_length=200,
        help_text="Beside your results. Leave it empty for your username.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    emails = forms.MultipleChoiceField(
        label="E-mail me about", required=False, widget=forms.CheckboxSelectMultiple, choices=NotificationKind.choices
    )
    usd_per_gpu_hour = forms.FloatField(label="$ per GPU-hour", required=False, min_value=0, max_value=10_000)
    usd_per_kwh = forms.FloatField(label="$ per kWh", required=False, min_value=0, max_value=100)
    pue = forms.FloatField(label="PUE", required=False, min_value=1, max_value=10)
    co2_g_per_kwh = forms.FloatField(label="Grid (g CO2/kWh)", required=False, min_value=0, max_value=5_000)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_moderator = user.is_moderator
        moderation = NotificationKind.MODERATION
        choices = [kind for kind in NotificationKind.choices if self.is_moderator or kind[0] != moderation]
        self.fields["emails"].choices = choices  # type: ignore[attr-defined]  # it is a choice field
        for name in PRICES:
            self.fields[name].widget.attrs |= {"inputmode": "decimal", "step": "any", "autocomplete": "off"}

    def clean_display_name(self) -> str:
        return clean_display_name(self.cleaned_data["display_name"])

    @property
    def prices(self) -> dict[str, float | None]:
        return {name: self.cleaned_data[name] for name in PRICES}

    @property
    def wanted(self) -> list[str]:
        """What is not offered is not switched off by that."""
        hidden = () if self.is_moderator else (NotificationKind.MODERATION.value,)
        return [*self.cleaned_data["emails"], *hidden]

    @staticmethod
    def initial_of(user: User, preferences: Preferences) -> dict[str, Any]:
        wanted = [kind.value for kind in NotificationKind if kind.value not in preferences.muted_emails]
        prices = {name: getattr(preferences, name) for name in PRICES}
        return {"display_name": user.display_name, "emails": wanted, **prices}


class DeleteAccountForm(forms.Form):
    """What becomes of published results, and proof that it is the person: the password, or where there is none, the
    user name typed out.
    """

    published = forms.ChoiceField(
        label="Your published results and comments",
        choices=[
            ("keep", "Keep them, shown as given by a deleted user"),
            ("delete", "Delete them too; where a result was, a line stays that says it is gone"),
        ],
        widget=forms.RadioSelect,
        initial="keep",
    )
    proof = forms.CharField(max_length=200, strip=False)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.has_password = user.has_usable_password()
        proof = self.fields["proof"]
        if self.has_password:
            proof.label = "Your password"
            proof.widget = forms.PasswordInput(attrs={"autocomplete": "current-password"})
        else:
            proof.label = f"Type your username, {user.username}"
            proof.widget = forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "off"})

    def clean_proof(self) -> str:
        proof = str(self.cleaned_data["proof"])
        if self.has_password and not get_adapter().reauthenticate(self.user, proof):
            raise forms.ValidationError("This is not your password. Nothing was deleted.")
        if not self.has_password and proof.strip() != self.user.username:
            raise forms.ValidationError(f"Type {self.user.username} just as it stands. Nothing was deleted.")
        return proof

    @property
    def keep_published(self) -> bool:
        return bool(self.cleaned_data["published"] == "keep")

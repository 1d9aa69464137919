"""What of other packages the admin shows, and how one comes in."""

import allauth.mfa.admin
import allauth.socialaccount.admin  # noqa: F401 - they register what is taken out again below
from allauth.account.decorators import secure_admin_login
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialApp, SocialToken
from django.contrib import admin
from django_q.models import OrmQ

# A queued task is a signed pickle: it is for the queue to read, not for a form to edit.
admin.site.unregister(OrmQ)
# GitHub is set up in the environment, and no access token is kept: rows made here would open another way in.
admin.site.unregister([SocialApp, SocialToken])
# A second factor is set up by its person, and taken away by `manage.py remove_second_factor`, which leaves a line.
admin.site.unregister(Authenticator)
# One door for everyone: the admin's own form would count no failed sign-ins.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]  # as allauth says

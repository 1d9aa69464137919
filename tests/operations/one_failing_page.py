"""A process of the site whose page fails while secrets are at hand; it tells what it has imported."""

import json
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lemsite.settings")
os.environ["OTEL_SERVICE_NAME"] = "lemsite-under-test"

import django
from django.urls import path

#: the rest of OpenTelemetry comes with the Redis client
SERVICES = ("sentry_sdk", "opentelemetry.exporter")


def fails(request, key):
    from django.conf import settings
    from django.db import connection

    secret = os.environ["CANARY"]
    if not settings.ON_SQLITE:
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s::text", [secret])
    raise RuntimeError(f"broken, {len(secret)} characters")


urlpatterns = [path("fails/<str:key>/", fails, name="failing")]


def main():
    django.setup()
    from django.conf import settings
    from django.test import Client

    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name.startswith("lemsite.observing.")]
    settings.ALLOWED_HOSTS = ["*"]
    canary = os.environ["CANARY"]
    client = Client(raise_request_exception=False)
    client.cookies["sessionid"] = canary
    headers = {"Authorization": f"Bearer {canary}", "X-Canary": canary}
    answer = client.get(f"/fails/{canary}/?token={canary}", headers=headers)
    imported = [name for name in SERVICES if name in sys.modules]
    sys.stdout.write(json.dumps({"status": answer.status_code, "imported": imported}) + "\n")


if __name__ == "__main__":
    main()

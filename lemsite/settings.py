"""All settings, from the environment (docs/configuration.md). Read them through django.conf.settings only."""

from pathlib import Path
from typing import Any

import django_stubs_ext
from csp.constants import NONE, SELF

from lemsite import __version__
from lemsite.lib import env, service_urls

# Admin and form classes name the type of their model: `ModelAdmin[Result]`.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
env.read_file(Path(env.text("LEMSITE_ENV_FILE", str(BASE_DIR / ".env"))))

PRODUCTION = env.choice("LEMSITE_ENV", "development", ("development", "production")) == "production"
DEBUG = env.flag("DEBUG", default=False)
LEMSITE_HOME = env.folder("LEMSITE_HOME", "var", base=BASE_DIR)
HOST = env.text("HOST", "127.0.0.1")
PORT = env.integer("PORT", 8000, low=1, high=65535)
SITE_URL = env.origin("SITE_URL", f"http://localhost:{PORT}")

SECRET_KEY = env.text("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.names("SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = env.names("ALLOWED_HOSTS")
if PRODUCTION:
    env.require_production_values(debug=DEBUG, secret_key=SECRET_KEY, allowed_hosts=ALLOWED_HOSTS, site_url=SITE_URL)
else:
    SECRET_KEY = SECRET_KEY or env.secret_from_file(LEMSITE_HOME / "secret-key")
    ALLOWED_HOSTS = ALLOWED_HOSTS or ["localhost", "127.0.0.1", "[::1]"]
CSRF_TRUSTED_ORIGINS = env.origins("CSRF_TRUSTED_ORIGINS", [SITE_URL])

# Who gets into the admin, and where it is (docs/adr/0021)
ADMIN_PATH = env.path_prefix("ADMIN_PATH", "admin/")
ADMIN_ALLOW = env.networks("ADMIN_ALLOW")
ADMIN_REQUIRE_2FA = env.flag("ADMIN_REQUIRE_2FA", default=PRODUCTION)
ADMIN_SESSION_AGE = env.integer("ADMIN_SESSION_AGE", 3600, low=60, high=14 * 24 * 3600)

# What one address, or one token, may ask for in a minute; 0 for no limit (lemsite.rate_limits)
REQUESTS_PER_MINUTE = env.integer("REQUESTS_PER_MINUTE", 1200 if PRODUCTION else 0, low=0, high=1_000_000)

# Where faults of security are told: security.txt, and tokens that a scanner found in public
SECURITY_CONTACT = env.contact("SECURITY_CONTACT")
LEAK_REPORT_KEYS = env.text("LEAK_REPORT_KEYS")

# The web server
LEMSITE_HANDLER = env.choice("LEMSITE_HANDLER", "one-hop", ("one-hop", "stock"))
WEB_PROCESSES = env.integer("WEB_PROCESSES", 1, low=1, high=64)
# How long a web process that is told to stop goes on, while /ready answers 503: until the proxy has noticed.
DRAIN_S = env.integer("DRAIN_S", 5 if PRODUCTION else 0, low=0, high=600)
TRUSTED_PROXY = env.names("TRUSTED_PROXY")
LEMSITE_MAX_UPLOAD_MB = env.integer("LEMSITE_MAX_UPLOAD_MB", 64, low=1, high=1024)
# Room for the multipart frame and for the fields beside the files.
LEMSITE_MAX_BODY_BYTES = (LEMSITE_MAX_UPLOAD_MB + 8) * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = LEMSITE_MAX_UPLOAD_MB * 1024 * 1024
ASGI_APPLICATION = "lemsite.asgi.application"

# Live runs
INGEST_TOKEN = env.text("INGEST_TOKEN")
LEMSITE_SIMULATE = env.flag("LEMSITE_SIMULATE", default=not PRODUCTION)
LEMSITE_STREAMS_PER_ADDRESS = env.integer("LEMSITE_STREAMS_PER_ADDRESS", 100, low=0, high=1_000_000)
ROOT_URLCONF = "lemsite.urls"

# Other times between site and agents than those of jobs.times; for tests and benchmarks.
LEMSITE_JOB_TIMES = env.numbers("LEMSITE_JOB_TIMES")

GITHUB_CLIENT_ID = env.text("GITHUB_CLIENT_ID")
GITHUB_CLIENT_SECRET = env.text("GITHUB_CLIENT_SECRET")
if bool(GITHUB_CLIENT_ID) != bool(GITHUB_CLIENT_SECRET):
    raise env.BadSetting("GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET", "are not both set", "set both or neither")
GITHUB_SIGN_IN = bool(GITHUB_CLIENT_ID)
GITHUB_URL = env.secure_origin("GITHUB_URL", "https://github.com")

# The dataset on Hugging Face that each night's dump is pushed to. A token may be there for other uses.
HF_TOKEN = env.text("HF_TOKEN")
HF_DATASET = env.repository("HF_DATASET")
HF_ENDPOINT = env.secure_origin("HF_ENDPOINT", "https://huggingface.co")
if HF_DATASET and not HF_TOKEN:
    raise env.BadSetting("HF_TOKEN", "is not set", "HF_DATASET needs a token that may write to it")

# Receivers of webhooks inside the operator's own network, and those of tests. Everyone else's are public and https.
WEBHOOK_PRIVATE_HOSTS = env.hosts_with_ports("WEBHOOK_PRIVATE_HOSTS")

INSTALLED_APPS = [
    "daphne",  # first, so that runserver speaks ASGI
    "django_q",  # before lemsite, whose admin takes the raw queue out again
    "lemsite",
    "jobs",
    "runs",
    "leaderboard",
    "accounts",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.sitemaps",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.github",  # always, so that its addresses exist; accounts.adapters closes them
    "allauth.usersessions",
    "channels",
    "csp",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "template_partials",
]

MIDDLEWARE = [
    "lemsite.observing.middleware.note_route",
    "django.middleware.security.SecurityMiddleware",
    "lemsite.headers.isolation_headers",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "lemsite.outages.Outages",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.note_session_use",
    "lemsite.rate_limits.read_limit",
    "lemsite.admin_gate.admin_gate",
    "django_htmx.middleware.HtmxMiddleware",
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "lemsite.context.site",
                "leaderboard.context.moderation",
                "accounts.context.account",
            ]
        },
    }
]

# Services: all of them are optional, the defaults need nothing but this machine
REDIS_URL = service_urls.redis("REDIS_URL")
DATABASES = {"default": service_urls.database("DATABASE_URL", default="sqlite:///lemsite.sqlite3", folder=LEMSITE_HOME)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ON_SQLITE = DATABASES["default"]["ENGINE"].endswith("sqlite3")
# Several threads that write to one SQLite file only wait in its busy handler (measured: p99 179 ms against 29 ms).
LEMSITE_HANDLER_THREADS = 1 if ON_SQLITE else 4
CACHES = {"default": service_urls.cache(REDIS_URL)}
CHANNEL_LAYERS = {"default": service_urls.channel_layer(REDIS_URL)}
STORAGES: dict[str, dict[str, Any]] = {
    "default": service_urls.storage("STORAGE_URL", folder=LEMSITE_HOME / "files"),
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "lemsite.static_files.BundledManifestStaticFilesStorage"
    },
}
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
_EMAIL = service_urls.email("EMAIL_URL", default="" if PRODUCTION else "console:")
EMAIL_BACKEND = _EMAIL.backend
EMAIL_HOST, EMAIL_PORT = _EMAIL.host, _EMAIL.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _EMAIL.user, _EMAIL.password
EMAIL_USE_SSL, EMAIL_USE_TLS, EMAIL_TIMEOUT = _EMAIL.use_ssl, _EMAIL.use_tls, 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("EMAIL_FROM", "lemsite@localhost")

Q_CLUSTER: dict[str, Any] = {
    "name": "lemsite",
    "orm": "default",
    # One task at a time and none fetched ahead: a task that waits in memory could outlive its lease and run twice.
    "workers": 1,
    "bulk": 1,
    "queue_limit": 1,
    "poll": 0.5,
    "timeout": 300,
    "retry": 360,
    "max_attempts": 3,
    "catch_up": False,
    # The timetable is kept by each worker, or by one of them.
    "scheduler": env.flag("LEMSITE_SCHEDULER", default=True),
    "save_limit": 1000,
    "label": "Background tasks",
    # The queue of benchmark jobs. GPU hosts claim from it over HTTP; no qcluster may ever serve it.
    "ALT_CLUSTERS": {"gpu": {"retry": 360}},
}

# People
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
# Failed sign-ins: 10 a minute from one address, and 5 in a quarter of an hour for one name from one address.
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/900s/key"}
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]
ACCOUNT_USERNAME_VALIDATORS = "accounts.names.USERNAME_VALIDATORS"
ACCOUNT_EMAIL_VERIFICATION = "optional" if PRODUCTION else "none"
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[lemsite] "
ACCOUNT_EMAIL_NOTIFICATIONS = True
# One address per person; a new one counts from when it is confirmed.
ACCOUNT_CHANGE_EMAIL = True
# Whoever signs up with an address that is taken learns nothing: it stays unconfirmed on the second account.
ACCOUNT_PREVENT_ENUMERATION = "strict"
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_FORMS = {
    "login": "accounts.forms.SignInForm",
    "signup": "accounts.forms.PasswordSignupForm",
    "add_email": "accounts.forms.EmailForm",
    "change_password": "accounts.forms.PasswordChangeForm",
    "set_password": "accounts.forms.FirstPasswordForm",
    "reset_password": "accounts.forms.ForgottenPasswordForm",
    "reset_password_from_key": "accounts.forms.NewPasswordForm",
    "reauthenticate": "accounts.forms.ProofForm",
}
# An app on the phone as a second factor, with codes for the day that the phone is lost
MFA_ADAPTER = "accounts.adapters.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "lemsite"
# The clocks of phones differ: a code counts for half a minute longer.
MFA_TOTP_TOLERANCE = 1
# An unconfirmed address belongs to nobody here, so it keeps nobody from their own.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_FORMS = {
    "authenticate": "accounts.forms.CodeForm",
    "reauthenticate": "accounts.forms.CodeProofForm",
    "activate_totp": "accounts.forms.FirstCodeForm",
}
SOCIALACCOUNT_ADAPTER = "accounts.adapters.SocialAdapter"
SOCIALACCOUNT_FORMS = {"signup": "accounts.forms.GithubSignupForm"}
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_QUERY_EMAIL = True
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = False
SOCIALACCOUNT_PROVIDERS: dict[str, dict[str, Any]] = {
    "github": {
        "provider_class": "accounts.github.CheckedGitHub",
        "APPS": [{"client_id": GITHUB_CLIENT_ID, "secret": GITHUB_CLIENT_SECRET}] if GITHUB_SIGN_IN else [],
        "SCOPE": ["read:user", "user:email"],
        "OAUTH_PKCE_ENABLED": True,
        # GitHub itself has its API on another host, which allauth knows; Enterprise has it under the same one.
        **({"GITHUB_URL": GITHUB_URL} if GITHUB_URL != "https://github.com" else {}),
    }
}

# How many days is kept what nobody needs for ever; 0: for ever (docs/backups.md)
KEEP_JOB_RECORDS_DAYS = env.integer("KEEP_JOB_RECORDS_DAYS", 365, low=0, high=36_500)
KEEP_AGENT_SESSIONS_DAYS = env.integer("KEEP_AGENT_SESSIONS_DAYS", 90, low=0, high=36_500)
KEEP_SIMULATED_RUNS_DAYS = env.integer("KEEP_SIMULATED_RUNS_DAYS", 30, low=0, high=36_500)
KEEP_BATCHES_DAYS = env.integer("KEEP_BATCHES_DAYS", 30, low=0, high=36_500)
KEEP_NOTIFICATIONS_DAYS = env.integer("KEEP_NOTIFICATIONS_DAYS", 365, low=0, high=36_500)
KEEP_WEBHOOK_DELIVERIES_DAYS = env.integer("KEEP_WEBHOOK_DELIVERIES_DAYS", 30, low=0, high=36_500)
KEEP_TASKS_DAYS = env.integer("KEEP_TASKS_DAYS", 30, low=0, high=36_500)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.api.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "lemsite.lib.negotiation.AnyAccept",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PARSER_CLASSES": ["lemsite.lib.parsers.StrictJSONParser"],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.api.throttling.WriteThrottle"],
    "EXCEPTION_HANDLER": "lemsite.lib.api_errors.handle_api_error",
    # uvicorn put the client's address into REMOTE_ADDR, from TRUSTED_PROXY alone: X-Forwarded-For is not read again.
    "NUM_PROXIES": 0,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    # ?format= is a reader's own query parameter here, not a way to choose a renderer.
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "lemsite",
    "DESCRIPTION": "Measured efficiency of large language models: submit, read, compare, run.",
    "VERSION": __version__,
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "COMPONENT_SPLIT_REQUEST": True,
    "PREPROCESSING_HOOKS": ["lemsite.lib.api_paths.without_trailing_slashes"],
    "ENUM_NAME_OVERRIDES": {
        "SubmissionStatusEnum": "leaderboard.models.SubmissionStatus",
        "VisibilityEnum": "leaderboard.models.Visibility",
        "LicenceEnum": "leaderboard.models.Licence",
        "BatchStateEnum": "leaderboard.models.BatchState",
        "JobStateEnum": "jobs.models.JobState",
        "StepEnum": "leaderboard.api.serializers.STEP_CHOICES",
        "FinishedVisibilityEnum": "leaderboard.api.serializers.FINISHED_CHOICES",
    },
    # The validator badge would ask a server on the internet.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# The browser
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        # The sign-in form's POST is redirected to GitHub, and browsers check redirects against form-action too.
        "form-action": [SELF, GITHUB_URL] if GITHUB_SIGN_IN else [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "lemsite.views.csrf_failure"
WEBSOCKET_ORIGINS = [SITE_URL, *CSRF_TRUSTED_ORIGINS] if PRODUCTION else ALLOWED_HOSTS
if PRODUCTION:
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    # The prefix makes browsers refuse the cookie from a sub-domain or over plain HTTP.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
    SECURE_SSL_REDIRECT = True
    # Load balancers and Prometheus ask inside the network, without TLS.
    SECURE_REDIRECT_EXEMPT = [r"^(health|ready|metrics)/?$"]
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    # HSTS for sub-domains and the preload list are a decision about the whole domain, not about this site.
    SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

LANGUAGE_CODE = "en"
USE_I18N = False
TIME_ZONE = "UTC"
# Who watches the site (docs/operations.md)
METRICS_TOKEN = env.text("METRICS_TOKEN")
METRICS_ALLOW = env.networks("METRICS_ALLOW")
SENTRY_DSN = env.text("SENTRY_DSN")
OTEL_EXPORTER_OTLP_ENDPOINT = env.text("OTEL_EXPORTER_OTLP_ENDPOINT")
OTEL_SERVICE_NAME = env.text("OTEL_SERVICE_NAME", "lemsite")
OTEL_SAMPLE_PERCENT = env.integer("OTEL_SAMPLE_PERCENT", 10, low=0, high=100)
LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOG_FORMAT = env.choice("LOG_FORMAT", "json" if PRODUCTION else "line", ("line", "json"))
ACCESS_LOG = env.flag("ACCESS_LOG", default=PRODUCTION or LOG_LEVEL == "DEBUG")
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "lemsite.lib.logs.OneLineFormatter"},
        "json": {"()": "lemsite.lib.logs.JSONFormatter"},
    },
    "filters": {"outages": {"()": "lemsite.lib.outages.WithoutTraceback"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["outages"]}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "level": LOG_LEVEL, "propagate": True},
        # At DEBUG it writes whole contexts of templates, with the passwords that forms were sent.
        "django.template": {"level": "INFO"},
        # It writes a line a request, with the whole address: an upload's holds its signature.
        "httpx2": {"level": "WARNING"},
        # It writes two lines for each connection that it tries in vain; lemsite.lib.database_watch writes one.
        "psycopg.pool": {"level": "ERROR"},
    },
}

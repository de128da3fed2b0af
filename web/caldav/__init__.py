"""Calendars for programs that sign in: CalDAV, read-only (RFC 4791, 6578, 5397 and the reading part of 3744).

    /.well-known/caldav                          where to begin (RFC 6764)
    /dav/                                        who am I?
    /dav/principals/<technician>/                me, and where my calendars are
    /dav/calendars/<technician>/                 my calendars
    /dav/calendars/<technician>/<name>/          one of them
    /dav/calendars/<technician>/<name>/<booking>.ics

Principal and home stand apart from the calendars: iOS asks in circles otherwise.
"""

from web.caldav.methods import caldav

__all__ = ["caldav"]

"""Mails to people: written with what they tell of, sent later, ended where they may be done without."""

"""Gateways in plain Python: no Django, no database, no settings in here."""

#!/usr/bin/env python3
"""Django's command line."""

import os

from payments_admin.command_line import main

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "payments_admin.settings")
    main()

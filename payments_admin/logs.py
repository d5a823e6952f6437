"""How log records are written."""

import logging


class OneLine(logging.Formatter):
    """One line a record, so that nothing in a request can forge a second one."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        return "".join(
            char if char.isprintable() else char.encode("unicode_escape").decode()
            for char in super().format(record)
        )

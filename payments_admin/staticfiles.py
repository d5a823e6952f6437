"""How static files are stored and named."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class Storage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # has no types
    """Compressed files whose names change with their content, so that browsers keep them.

    Before collectstatic has run they go by their own names, for a page without its manifest would
    be an error 500.
    """

    def stored_name(self, name: str) -> str:
        return str(super().stored_name(name)) if self.hashed_files else name

"""How the tests start processes of the product."""

import os


def clean_environment() -> dict[str, str]:
    """Nothing of the developer's own configuration, but what measures coverage."""
    return {
        name: value
        for name, value in os.environ.items()
        if name == "PATH" or name.startswith("COVERAGE_")
    }

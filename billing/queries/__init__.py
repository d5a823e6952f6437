"""Everything that pages read from the database, and the only place that reads it for them."""

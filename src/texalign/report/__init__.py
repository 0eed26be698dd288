"""Pages that open from disk, from the tables and arrays of a study: see `texalign.report.pages`."""

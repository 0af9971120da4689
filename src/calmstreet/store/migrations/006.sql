-- Which rules ran over a run, and what its signals achieved.
CREATE TABLE rulings (
    run_id INTEGER NOT NULL PRIMARY KEY REFERENCES runs (run_id) ON DELETE CASCADE,  -- run
    ruling_json TEXT NOT NULL   -- which rules ran and why others did not; what its signals achieved
) STRICT;

-- 003: smoothed rows of files, beside the causal ones.

CREATE TABLE smoothed_files (
    path TEXT NOT NULL PRIMARY KEY,  -- Parquet file of points with smoothed metres
    run_id INTEGER NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,  -- run
    rows INTEGER NOT NULL,           -- rows in the file
    start_ns INTEGER NOT NULL,       -- first step with a row
    end_ns INTEGER NOT NULL,         -- last step with a row
    size_bytes INTEGER NOT NULL,     -- size, bytes
    sha256 TEXT NOT NULL             -- sha256 of the file, hex
) STRICT;
CREATE INDEX smoothed_files_by_run ON smoothed_files (run_id, start_ns);

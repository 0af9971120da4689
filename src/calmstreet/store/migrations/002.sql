-- 002: lasting shifts of the camera and the gates and zones they take out of use.

CREATE TABLE shifts (
    run_id INTEGER NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,  -- run
    start_ns INTEGER NOT NULL,  -- from: the camera was last seen resting where it did before
    end_ns INTEGER NOT NULL,    -- until
    m11 REAL,  -- homography from picture pixels as seen to those of the reference, row by row;
    m12 REAL,  -- NULL where the street was found nowhere in the picture
    m13 REAL,  -- pixels
    m21 REAL,  -- second row
    m22 REAL,  -- second row
    m23 REAL,  -- pixels
    m31 REAL,  -- third row, 1/pixels
    m32 REAL,  -- third row, 1/pixels
    m33 REAL,  -- third row, always 1
    PRIMARY KEY (run_id, start_ns)
) STRICT, WITHOUT ROWID;

CREATE TABLE withdrawn (
    run_id INTEGER NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,  -- run
    place_id TEXT NOT NULL,     -- gate or zone that lay elsewhere because the camera had moved
    start_ns INTEGER NOT NULL,  -- from
    end_ns INTEGER NOT NULL,    -- until
    PRIMARY KEY (run_id, place_id, start_ns)
) STRICT, WITHOUT ROWID;

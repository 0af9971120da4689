-- 008: gaps, what each piece of video is kept for, faults of the data of a day.

-- Times in which a camera was not, or only partly, watched. They outlive the runs around them.
CREATE TABLE gaps (
    gap_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,  -- never used twice
    camera_id TEXT NOT NULL REFERENCES cameras (camera_id),  -- camera
    start_ns INTEGER NOT NULL,  -- from
    end_ns INTEGER NOT NULL CHECK (end_ns >= start_ns),  -- until
    reason TEXT NOT NULL,       -- word of model.gap.GAP_REASONS
    affects TEXT NOT NULL,      -- word of model.gap.AFFECTS: whose exposure is missing
    note TEXT NOT NULL,         -- what a person should know
    UNIQUE (camera_id, start_ns, end_ns, reason, affects)
) STRICT;

-- Files whose rows are gone and that are still to be removed; a crash in between forgets none.
CREATE TABLE garbage (
    path TEXT NOT NULL PRIMARY KEY  -- file
) STRICT, WITHOUT ROWID;

ALTER TABLE segments ADD COLUMN purpose TEXT NOT NULL DEFAULT 'tracks' CHECK (purpose IN ('tracks', 'event', 'audit', 'continuous'));  -- what it is kept for
ALTER TABLE segments ADD COLUMN event_id TEXT NOT NULL DEFAULT '';  -- event that it shows; "" for none
ALTER TABLE segments ADD COLUMN locked INTEGER NOT NULL DEFAULT 0 CHECK (locked IN (0, 1));  -- 1 = evidence, never removed
ALTER TABLE segments ADD COLUMN expires_ns INTEGER;  -- when it is removed; NULL = not by itself

-- What is wrong or odd about the counts of a span, found at night.
CREATE TABLE quality_flags (
    camera_id TEXT NOT NULL REFERENCES cameras (camera_id),  -- camera
    start_ns INTEGER NOT NULL,  -- from
    end_ns INTEGER NOT NULL,    -- until
    flag TEXT NOT NULL,         -- word of model.quality_flag.FLAGS
    what TEXT NOT NULL,         -- what it is about, such as "gate:ID:to_left"; "" for the camera
    value REAL,                 -- how much; NULL = unknown
    usual REAL,                 -- what was expected; NULL = unknown
    PRIMARY KEY (camera_id, start_ns, end_ns, flag, what)
) STRICT, WITHOUT ROWID;

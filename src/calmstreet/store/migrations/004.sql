-- 004: speeds at gates, times in zones, comparisons with radar or GPS.

CREATE TABLE speeds (
    run_id INTEGER NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,  -- run
    gate_id TEXT NOT NULL,      -- gate that was crossed
    t_ns INTEGER NOT NULL,      -- instant of the crossing, between two steps
    track_id INTEGER NOT NULL,  -- road user
    kind INTEGER NOT NULL,      -- code of model.kinds.Kind
    direction TEXT NOT NULL CHECK (direction IN ('to_left', 'to_right')),  -- side it ended on
    headway_s REAL,             -- front to front, from the user before it in this direction, s
    speed_mps REAL,             -- speed at the crossing, m/s; NULL where it is withheld
    sigma_random_mps REAL,      -- standard uncertainty of this road user alone, m/s
    sigma_site_mps REAL,        -- standard uncertainty common to all users of the camera, m/s
    half95_mps REAL,            -- half of the 95 % interval of both, m/s
    n INTEGER NOT NULL,         -- places that the speed rests on
    length_m REAL,              -- metres that they cover
    method TEXT NOT NULL,       -- "linear", "quadratic", "" where withheld
    reason TEXT NOT NULL        -- why it is withheld, a word of geometry.speed.REASONS; "" where it is not
) STRICT;
CREATE INDEX speeds_by_gate ON speeds (run_id, gate_id, t_ns);

CREATE TABLE zone_times (
    run_id INTEGER NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,  -- run
    zone_id TEXT NOT NULL,      -- zone that was crossed from end to end
    track_id INTEGER NOT NULL,  -- road user
    kind INTEGER NOT NULL,      -- code of model.kinds.Kind
    enter_ns INTEGER NOT NULL,  -- when its foot came in
    leave_ns INTEGER NOT NULL,  -- when its foot left
    PRIMARY KEY (run_id, zone_id, track_id, enter_ns)
) STRICT, WITHOUT ROWID;

CREATE TABLE speed_checks (
    camera_id TEXT NOT NULL REFERENCES cameras (camera_id),  -- camera whose speeds were compared
    site_version TEXT NOT NULL REFERENCES sites (site_version),  -- site they were measured under
    t_ns INTEGER NOT NULL,       -- when they were compared
    reference TEXT NOT NULL,     -- name of the file with radar or GPS speeds
    n INTEGER NOT NULL,          -- passages that were matched
    unmatched INTEGER NOT NULL,  -- rows of the reference without a passage
    bias_mps REAL,               -- mean of ours minus reference, m/s
    bias_half95_mps REAL,        -- half of its 95 % interval, m/s
    spread_mps REAL,             -- standard deviation of ours minus reference, m/s
    coverage REAL,               -- share of our 95 % intervals that hold the reference, 0..1
    passed INTEGER NOT NULL CHECK (passed IN (0, 1)),  -- 1 where enough was matched and the bias is within its uncertainty
    PRIMARY KEY (camera_id, t_ns)
) STRICT, WITHOUT ROWID;

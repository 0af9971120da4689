-- 007: pairs of road users that had to do with each other, and for how long that was watched.

CREATE TABLE conflicts (
    run_id INTEGER NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,  -- run
    user_a INTEGER NOT NULL,  -- one road user, the lower track id
    user_b INTEGER NOT NULL,  -- the other road user
    kind_a INTEGER NOT NULL,  -- code of model.kinds.Kind of the one
    kind_b INTEGER NOT NULL,  -- of the other
    start_ns INTEGER NOT NULL,  -- first moment of interaction
    end_ns INTEGER NOT NULL,  -- last moment of interaction
    x_m REAL,  -- where they met or would have met, metres east
    y_m REAL,  -- metres north
    type TEXT NOT NULL,  -- word of model.conflicts.CONFLICT_TYPES
    min_ttc_s REAL,  -- least path-based time to collision, s; infinite = never on a collision course
    max_drac_mps2 REAL,  -- braking that was needed, m/s2
    pet_s REAL,  -- post-encroachment time, s; NULL where the ways do not meet
    t2_s REAL,  -- least expected arrival of the second, s
    delta_v_mps REAL,  -- larger change of speed in a plastic impact, m/s
    angle_deg REAL,  -- between their headings, 0..180
    is_conflict INTEGER NOT NULL CHECK (is_conflict IN (0, 1)),  -- 1 where it is a conflict
    level INTEGER NOT NULL,  -- 0 none, 1..4 our own scale
    rejected_because TEXT NOT NULL,  -- word of model.conflicts.REJECTIONS; "" otherwise
    sigma_min_ttc_s REAL,  -- one standard deviation, s
    sigma_max_drac_mps2 REAL,  -- one standard deviation, m/s2
    sigma_pet_s REAL,  -- one standard deviation, s
    sigma_t2_s REAL,  -- one standard deviation, s
    sigma_delta_v_mps REAL,  -- one standard deviation, m/s
    sigma_angle_deg REAL,  -- one standard deviation, degrees
    why TEXT NOT NULL,  -- parts of the definition that hold: pet, ttc, evasion, joined by "+"
    ttc_along TEXT NOT NULL,  -- path, following, straight or ""
    contact INTEGER NOT NULL CHECK (contact IN (0, 1)),  -- 1 where the footprints overlapped
    place_pet_s REAL,  -- PET of the swept boxes at the very place, s
    point_pet_s REAL,  -- PET at the conflict point, s
    time_gap_s REAL,  -- least time gap of followers, s
    max_mdrac_mps2 REAL,  -- braking needed after a second of reaction, m/s2
    min_mttc_s REAL,  -- least TTC with the present accelerations, s
    tet_s REAL,  -- time with a TTC under the threshold, s
    tit_s2 REAL,  -- integral of how far under it, s2
    extended_delta_v_mps REAL,  -- Delta-V after both braked 4 m/s2, m/s
    harm_share REAL,  -- share of such impacts with serious harm, 0..1
    PRIMARY KEY (run_id, user_a, user_b, start_ns)
) STRICT, WITHOUT ROWID;
CREATE INDEX conflicts_by_time ON conflicts (run_id, start_ns);

CREATE TABLE conflicts_watched (
    run_id INTEGER NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,  -- run
    start_ns INTEGER NOT NULL,  -- from: conflicts could be seen
    end_ns INTEGER NOT NULL,    -- until, unbroken
    PRIMARY KEY (run_id, start_ns)
) STRICT, WITHOUT ROWID;

CREATE TABLE conflict_runs (
    run_id INTEGER NOT NULL PRIMARY KEY REFERENCES runs (run_id) ON DELETE CASCADE,  -- run
    why_not TEXT NOT NULL,         -- word for why nobody looked for conflicts; "" where somebody did
    paths_version TEXT NOT NULL,   -- sha256 of the usual paths that were used, hex; "" for none
    paths INTEGER NOT NULL         -- how many usual paths these are
) STRICT, WITHOUT ROWID;

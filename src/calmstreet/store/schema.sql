-- The catalogue of one result folder. Every column carries its meaning and unit.
--
-- Times end in _ns: whole UTC nanoseconds since 1970-01-01. Durations end in _s: seconds.
-- An unknown number is NULL here and NaN in the program: SQLite keeps no NaN. Minus zero becomes
-- zero, infinities are kept. Flags are 0 or 1. Paths are relative to the folder, with "/".
-- Rows that belong to a run go when the run goes (ON DELETE CASCADE).

CREATE TABLE meta (
    key TEXT NOT NULL PRIMARY KEY,  -- name of a fact about this folder, such as "created_ns"
    value TEXT NOT NULL             -- its value as text
) STRICT;

CREATE TABLE migrations (
    number INTEGER NOT NULL PRIMARY KEY,  -- number of the file in migrations/
    applied_ns INTEGER NOT NULL,          -- when it was applied
    sha256 TEXT NOT NULL                  -- sha256 of the file that was applied, hex
) STRICT;

CREATE TABLE sites (
    site_version TEXT NOT NULL PRIMARY KEY,  -- sha256 of the canonical JSON, hex
    site_id TEXT NOT NULL,                   -- id of the place
    json TEXT NOT NULL,                      -- canonical JSON of model.site.Site
    file_text TEXT NOT NULL,                 -- SITE.toml as it was given; "" when there was none
    saved_ns INTEGER NOT NULL                -- when it was first saved here
) STRICT;

CREATE TABLE cameras (
    camera_id TEXT NOT NULL PRIMARY KEY,  -- id of the camera
    name TEXT NOT NULL DEFAULT '',        -- name for people
    first_ns INTEGER NOT NULL             -- when it was first saved here
) STRICT;

CREATE TABLE runs (
    run_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,  -- never used twice, < 2^31
    camera_id TEXT NOT NULL REFERENCES cameras (camera_id),  -- camera that was watched
    site_version TEXT NOT NULL REFERENCES sites (site_version),  -- site it was watched under
    source TEXT NOT NULL,               -- file name or redacted address
    start_ns INTEGER NOT NULL,          -- time of the first frame
    end_ns INTEGER NOT NULL,            -- time of the last frame
    state TEXT NOT NULL CHECK (state IN ('open', 'partial', 'complete')),  -- how far it came
    time_known TEXT NOT NULL CHECK (time_known IN ('given', 'name', 'assumed', 'unknown')),  -- where time zero came from
    width_px INTEGER NOT NULL,          -- width of the picture, pixels
    height_px INTEGER NOT NULL,         -- height of the picture, pixels
    declared_fps REAL,                  -- frames per second that the stream declares
    delivered_fps REAL,                 -- frames per second by the timestamps
    detector TEXT NOT NULL,             -- "name/version" of the eyes
    frames INTEGER NOT NULL,            -- frames that came
    repeated_frames INTEGER NOT NULL,   -- of these, same content as the one before
    analysed_frames INTEGER NOT NULL,   -- of these, analysed
    counted INTEGER NOT NULL CHECK (counted IN (0, 1)),  -- 0 where the picture moved or was cut
    note TEXT NOT NULL,                 -- what a person should know
    live INTEGER NOT NULL CHECK (live IN (0, 1)),  -- 0 until published; readers see 1 only
    created_ns INTEGER NOT NULL         -- when the row was made
) STRICT;
CREATE INDEX runs_by_camera ON runs (camera_id, start_ns);

CREATE TABLE run_files (
    run_id INTEGER NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,  -- run
    position INTEGER NOT NULL,     -- order within the run, from 0
    name TEXT NOT NULL,            -- path of the video as it was given
    size_bytes INTEGER NOT NULL,   -- size of the video, bytes
    start_ns INTEGER NOT NULL,     -- where its first frame was laid on the clock
    note TEXT NOT NULL,            -- why it was used only in part; "" when whole
    PRIMARY KEY (run_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE point_files (
    path TEXT NOT NULL PRIMARY KEY,  -- Parquet file of points
    run_id INTEGER NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,  -- run
    rows INTEGER NOT NULL,           -- rows in the file
    start_ns INTEGER NOT NULL,       -- first analysed step that the file covers
    end_ns INTEGER NOT NULL,         -- last analysed step that the file covers
    size_bytes INTEGER NOT NULL,     -- size, bytes
    sha256 TEXT NOT NULL             -- sha256 of the file, hex
) STRICT;
CREATE INDEX point_files_by_run ON point_files (run_id, start_ns);

CREATE TABLE step_files (
    path TEXT NOT NULL PRIMARY KEY,  -- Parquet file of analysed steps
    run_id INTEGER NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,  -- run
    rows INTEGER NOT NULL,           -- steps in the file
    start_ns INTEGER NOT NULL,       -- first step
    end_ns INTEGER NOT NULL,         -- last step
    size_bytes INTEGER NOT NULL,     -- size, bytes
    sha256 TEXT NOT NULL             -- sha256 of the file, hex
) STRICT;
CREATE INDEX step_files_by_run ON step_files (run_id, start_ns);

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

CREATE TABLE crossings (
    run_id INTEGER NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,  -- run
    gate_id TEXT NOT NULL,      -- gate that was crossed
    t_ns INTEGER NOT NULL,      -- instant of the crossing, between two steps
    track_id INTEGER NOT NULL,  -- road user
    kind INTEGER NOT NULL,      -- code of model.kinds.Kind
    direction TEXT NOT NULL CHECK (direction IN ('to_left', 'to_right')),  -- side it ended on
    headway_s REAL,             -- front to front, from the user before it in this direction, s
    gap_s REAL,                 -- rear to front, from the user before it in this direction, s
    speed_mps REAL,             -- speed at the crossing, m/s
    length_m REAL,              -- length of the road user, m
    counted INTEGER NOT NULL CHECK (counted IN (0, 1))  -- 0 where the track is too short to be believed
) STRICT;
CREATE INDEX crossings_by_gate ON crossings (run_id, gate_id, t_ns);

CREATE TABLE journeys (
    run_id INTEGER NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,  -- run
    track_id INTEGER NOT NULL,   -- road user, run_id << 32 | serial
    kind INTEGER NOT NULL,       -- final vote, code of model.kinds.Kind
    start_ns INTEGER NOT NULL,   -- first row
    end_ns INTEGER NOT NULL,     -- last row
    done_ns INTEGER NOT NULL,    -- arrival at the exit; the end where no movement fits
    entry_x_px REAL,             -- first seen foot, pixels from the left
    entry_y_px REAL,             -- first seen foot, pixels from the top
    exit_x_px REAL,              -- last seen foot, pixels from the left
    exit_y_px REAL,              -- last seen foot, pixels from the top
    entry_id TEXT NOT NULL,      -- zone or gate of entry, "unknown" for none
    exit_id TEXT NOT NULL,       -- zone or gate of exit, "unknown" for none
    movement_id TEXT NOT NULL,   -- id of the movement, "unknown" where none fits
    entry_heading_x REAL,        -- unit vector at entry, to the right or east
    entry_heading_y REAL,        -- unit vector at entry, up or north
    exit_heading_x REAL,         -- unit vector at exit, to the right or east
    exit_heading_y REAL,         -- unit vector at exit, up or north
    metric INTEGER NOT NULL CHECK (metric IN (0, 1)),    -- 1 where headings are in metres, 0 on the picture
    rows INTEGER NOT NULL,       -- points of this road user
    counted INTEGER NOT NULL CHECK (counted IN (0, 1)),  -- 1 where it counts as traffic
    reason TEXT NOT NULL,        -- why it does not count; "" where it does
    PRIMARY KEY (run_id, track_id)
) STRICT, WITHOUT ROWID;

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

CREATE TABLE run_gates (
    run_id INTEGER NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,  -- run
    position INTEGER NOT NULL,  -- order of the gate in the site, from 0
    gate_id TEXT NOT NULL,      -- gate that was watched
    PRIMARY KEY (run_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE watched (
    run_id INTEGER NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,  -- run
    start_ns INTEGER NOT NULL,  -- from
    end_ns INTEGER NOT NULL,    -- until, unbroken
    PRIMARY KEY (run_id, start_ns)
) STRICT, WITHOUT ROWID;

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

CREATE TABLE minutes (
    run_id INTEGER NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,  -- run
    start_ns INTEGER NOT NULL,  -- start of a whole UTC minute
    watched_s REAL NOT NULL,    -- seconds of it that were watched
    PRIMARY KEY (run_id, start_ns)
) STRICT, WITHOUT ROWID;

CREATE TABLE occupancies (
    run_id INTEGER NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,  -- run
    gate_id TEXT NOT NULL,      -- gate
    start_ns INTEGER NOT NULL,  -- start of a whole UTC minute
    occupied_s REAL,            -- seconds of it in which a road user covered the gate
    PRIMARY KEY (run_id, gate_id, start_ns)
) STRICT, WITHOUT ROWID;

CREATE TABLE track_labels (
    run_id INTEGER NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,  -- run
    track_id INTEGER NOT NULL,  -- our id
    label TEXT NOT NULL,        -- id in the foreign file it came from, such as "veh_12"
    PRIMARY KEY (run_id, track_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE bins (
    run_id INTEGER NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,  -- run
    measure TEXT NOT NULL CHECK (measure IN ('counts', 'speeds', 'conflicts', 'signals')),  -- whose exposure exposure_s is
    what TEXT NOT NULL,          -- "gate:ID:to_left", "movement:FROM:TO", "queue:ID"
    kind INTEGER NOT NULL,       -- code of model.kinds.Kind
    width_ns INTEGER NOT NULL,   -- width of the slice of time, ns
    start_ns INTEGER NOT NULL,   -- start of the slice of time
    count REAL,                  -- how many, or how much for a level such as a queue
    exposure_s REAL NOT NULL,    -- seconds really watched for this measure; 0 = nobody watched
    flags TEXT NOT NULL,         -- words parted by ";" such as "dusk;partial"
    PRIMARY KEY (run_id, measure, width_ns, what, kind, start_ns)
) STRICT, WITHOUT ROWID;
CREATE INDEX bins_by_time ON bins (measure, width_ns, what, start_ns);

CREATE TABLE light (
    run_id INTEGER NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,  -- run
    start_ns INTEGER NOT NULL,  -- from
    end_ns INTEGER NOT NULL,    -- until
    light TEXT NOT NULL CHECK (light IN ('day', 'dusk', 'night', 'unknown')),  -- light
    surface TEXT NOT NULL CHECK (surface IN ('dry', 'wet', 'snow', 'unknown')),  -- road surface
    PRIMARY KEY (run_id, start_ns)
) STRICT, WITHOUT ROWID;

CREATE TABLE signal_changes (
    run_id INTEGER NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,  -- run
    signal_id TEXT NOT NULL,   -- signal head
    t_ns INTEGER NOT NULL,     -- when the new state was first seen
    state INTEGER NOT NULL,    -- code of model.signals.SignalState
    confidence REAL,           -- 0..1
    PRIMARY KEY (run_id, signal_id, t_ns)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    run_id INTEGER NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,  -- run
    event_id TEXT NOT NULL,       -- 16 hex digits, see model.event.event_id_of
    kind TEXT NOT NULL,           -- kind of finding
    camera_id TEXT NOT NULL,      -- camera
    start_ns INTEGER NOT NULL,    -- from
    end_ns INTEGER NOT NULL,      -- until
    x_m REAL,                     -- place, metres east in the site's frame
    y_m REAL,                     -- place, metres north in the site's frame
    severity INTEGER NOT NULL,    -- 0..4
    rule TEXT NOT NULL,           -- "name/version"
    values_json TEXT NOT NULL,    -- {name with unit: number or null}
    reasons_json TEXT NOT NULL,   -- [the rule's own words]
    exceptions_json TEXT NOT NULL,  -- [what speaks against it]
    PRIMARY KEY (run_id, event_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX events_by_time ON events (start_ns);
CREATE INDEX events_by_id ON events (event_id);
CREATE INDEX events_by_severity ON events (severity, start_ns);

CREATE TABLE event_tracks (
    run_id INTEGER NOT NULL,    -- run
    event_id TEXT NOT NULL,     -- event
    position INTEGER NOT NULL,  -- order in the event, from 0
    track_id INTEGER NOT NULL,  -- road user
    PRIMARY KEY (run_id, event_id, position),
    FOREIGN KEY (run_id, event_id) REFERENCES events (run_id, event_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

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

CREATE TABLE evidence_files (
    path TEXT NOT NULL PRIMARY KEY,  -- evidence file (Parquet of points or JSON)
    run_id INTEGER NOT NULL,         -- run
    event_id TEXT NOT NULL,          -- event that it proves
    size_bytes INTEGER NOT NULL,     -- size, bytes
    sha256 TEXT NOT NULL,            -- sha256 of the file, hex
    FOREIGN KEY (run_id, event_id) REFERENCES events (run_id, event_id) ON DELETE CASCADE
) STRICT;
CREATE INDEX evidence_files_by_event ON evidence_files (run_id, event_id);

CREATE TABLE segments (
    segment_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,  -- never used twice
    camera_id TEXT NOT NULL REFERENCES cameras (camera_id),  -- camera
    run_id INTEGER REFERENCES runs (run_id) ON DELETE CASCADE,  -- run; NULL when of no run
    start_ns INTEGER NOT NULL,    -- first picture
    end_ns INTEGER NOT NULL,      -- last picture
    path TEXT NOT NULL UNIQUE,    -- blurred video
    size_bytes INTEGER NOT NULL,  -- size, bytes
    sha256 TEXT NOT NULL,         -- sha256 of the file, hex
    purpose TEXT NOT NULL DEFAULT 'tracks' CHECK (purpose IN ('tracks', 'event', 'audit', 'continuous')),  -- what it is kept for
    event_id TEXT NOT NULL DEFAULT '',  -- event that it shows; "" for none
    locked INTEGER NOT NULL DEFAULT 0 CHECK (locked IN (0, 1)),  -- 1 = evidence, never removed
    expires_ns INTEGER            -- when it is removed; NULL = not by itself
) STRICT;
CREATE INDEX segments_by_camera ON segments (camera_id, start_ns);

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

CREATE TABLE pictures (
    path TEXT NOT NULL PRIMARY KEY,  -- blurred picture
    run_id INTEGER NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,  -- run
    what TEXT NOT NULL,              -- "background", "trajectories", "gates", ...
    t_ns INTEGER NOT NULL,           -- instant it shows, or the start of what it sums up
    width_px INTEGER NOT NULL,       -- stored width, pixels
    height_px INTEGER NOT NULL,      -- stored height, pixels
    size_bytes INTEGER NOT NULL,     -- size, bytes
    sha256 TEXT NOT NULL             -- sha256 of the file, hex
) STRICT;
CREATE INDEX pictures_by_run ON pictures (run_id, what);

CREATE TABLE warnings (
    run_id INTEGER NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,  -- run
    position INTEGER NOT NULL,  -- order, from 0
    code TEXT NOT NULL,         -- short name, the same in every language
    text TEXT NOT NULL,         -- sentence in English
    args_json TEXT NOT NULL,    -- {name: value} for the same sentence in another language
    PRIMARY KEY (run_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE rulings (
    run_id INTEGER NOT NULL PRIMARY KEY REFERENCES runs (run_id) ON DELETE CASCADE,  -- run
    ruling_json TEXT NOT NULL   -- which rules ran and why others did not; what its signals achieved
) STRICT;

CREATE TABLE users (
    user_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,  -- never used twice
    name TEXT NOT NULL UNIQUE,    -- name to sign in with
    role TEXT NOT NULL CHECK (role IN ('viewer', 'analyst', 'reviewer', 'administrator')),  -- what they may do
    cameras_json TEXT,            -- [camera ids] that they may see; NULL for all
    password_hash TEXT NOT NULL,  -- salted slow hash with its parameters
    must_change INTEGER NOT NULL DEFAULT 1 CHECK (must_change IN (0, 1)),  -- 1 = the password was given by somebody else
    created_ns INTEGER NOT NULL,  -- when the account was made
    disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1))  -- 1 = may not sign in
) STRICT;

CREATE TABLE sessions (
    session_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,  -- never used twice
    token_sha256 TEXT NOT NULL UNIQUE,  -- sha256 of the token in the cookie, hex; the token is kept nowhere
    user_id INTEGER NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,  -- who signed in
    created_ns INTEGER NOT NULL,  -- when they signed in
    seen_ns INTEGER NOT NULL,     -- when they last asked for something
    expires_ns INTEGER NOT NULL,  -- when it ends whatever happens
    address TEXT NOT NULL,        -- network address they came from
    agent TEXT NOT NULL           -- browser, as it calls itself, shortened
) STRICT;
CREATE INDEX sessions_by_user ON sessions (user_id);

CREATE TABLE reviews (
    review_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,  -- never used twice
    event_id TEXT NOT NULL,    -- event that was looked at; outlives the run
    camera_id TEXT NOT NULL,   -- its camera
    reviewer TEXT NOT NULL,    -- name of the user who looked
    verdict TEXT NOT NULL CHECK (verdict IN ('accept', 'reject', 'escalate', 'note')),  -- what they found
    reason TEXT NOT NULL,      -- why it was rejected, a word; "" otherwise
    note TEXT NOT NULL,        -- their words
    t_ns INTEGER NOT NULL      -- when
) STRICT;
CREATE INDEX reviews_by_event ON reviews (event_id, t_ns);

CREATE TABLE event_states (
    event_id TEXT NOT NULL PRIMARY KEY,  -- event with a verdict; those without are open
    state TEXT NOT NULL CHECK (state IN ('accepted', 'rejected', 'escalated')),  -- by the last verdict
    reviewer TEXT NOT NULL,    -- whose verdict it was
    t_ns INTEGER NOT NULL      -- when
) STRICT, WITHOUT ROWID;

CREATE TABLE site_drafts (
    draft_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,  -- never used twice
    result_id TEXT NOT NULL,     -- result whose site it would become
    site_version TEXT NOT NULL,  -- sha256 of its canonical JSON, hex
    based_on TEXT NOT NULL,      -- site_version that it was drawn from
    file_text TEXT NOT NULL,     -- SITE.toml
    state TEXT NOT NULL CHECK (state IN ('proposed', 'confirmed', 'withdrawn')),  -- how far
    note TEXT NOT NULL,          -- why, in the words of the one who proposed it
    asked_by TEXT NOT NULL,      -- name of the user who proposed it
    asked_ns INTEGER NOT NULL,   -- when
    decided_by TEXT NOT NULL,    -- name of the user who confirmed or withdrew it; "" before
    decided_ns INTEGER           -- when; NULL before
) STRICT;
CREATE INDEX site_drafts_by_result ON site_drafts (result_id, draft_id);

CREATE TABLE uploads (
    upload_id TEXT NOT NULL PRIMARY KEY,  -- 16 hex digits; its file is uploads/ID and nothing else
    name TEXT NOT NULL,          -- name that the browser gave, for people only
    size_bytes INTEGER NOT NULL, -- size, bytes
    sha256 TEXT NOT NULL,        -- sha256 of the file, hex
    asked_by TEXT NOT NULL,      -- name of the user who handed it in
    asked_ns INTEGER NOT NULL    -- when
) STRICT;

CREATE TABLE audit (
    audit_id INTEGER NOT NULL PRIMARY KEY,  -- 1, 2, 3, ... without holes
    t_ns INTEGER NOT NULL,       -- when
    actor TEXT NOT NULL,         -- user name or "system"
    action TEXT NOT NULL,        -- what was done
    detail_json TEXT NOT NULL,   -- {name: value}
    previous_sha256 TEXT NOT NULL,  -- sha256 of the row before, hex; 64 zeros for the first
    sha256 TEXT NOT NULL         -- sha256 over all columns before this one, hex
) STRICT;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END;
CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is never shortened'); END;

CREATE TABLE jobs (
    job_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,  -- never used twice
    kind TEXT NOT NULL,         -- what is to be done
    args_json TEXT NOT NULL,    -- {name: value}
    state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled')),  -- how far
    asked_ns INTEGER NOT NULL,  -- when it was asked for
    asked_by TEXT NOT NULL,     -- user name or "system"
    started_ns INTEGER,         -- when it began; NULL before
    ended_ns INTEGER,           -- when it ended; NULL before
    doing TEXT NOT NULL,        -- what it is at
    share REAL NOT NULL,        -- share done, 0..1
    result_json TEXT NOT NULL   -- what came of it
) STRICT;
CREATE INDEX jobs_by_state ON jobs (state, asked_ns);

-- 005: the desk: roles with cameras, sessions, verdicts, drafts of sites, uploads, progress of jobs.
-- Nobody could sign in before: the tables that are made anew held no rows.

DROP TABLE reviews;
DROP TABLE users;
DROP TABLE audit;
DROP TABLE jobs;
CREATE INDEX events_by_severity ON events (severity, start_ns);

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

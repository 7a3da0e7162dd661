-- Sluice's tables. They are private: other programs read the two views at the end.
-- Every name is qualified; nothing here depends on search_path. Works on PostgreSQL 14 to 18 and PGlite.

-- Messages -----------------------------------------------------------------------------------------------------------

CREATE TABLE sluice.message (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  integration text NOT NULL,
  source text NOT NULL,
  idempotency_key text,
  upload_id uuid NOT NULL,
  body_sha256 bytea NOT NULL CHECK (octet_length(body_sha256) = 32),
  body_size bigint NOT NULL CHECK (body_size >= 0),
  format text NOT NULL CHECK (format IN ('json', 'ndjson')),
  is_draft boolean NOT NULL DEFAULT false,
  status smallint NOT NULL DEFAULT 0 CHECK (status IN (0, 1, -1, 2, -2, 3, -3)),
  status_details jsonb,
  total integer CHECK (total >= 0),
  split_attempts integer NOT NULL DEFAULT 0,
  received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  validated_at timestamptz,
  split_at timestamptz,
  finished_at timestamptz,
  CHECK ((status IN (-1, 3, -3)) = (finished_at IS NOT NULL)),
  CHECK (status = 0 OR validated_at IS NOT NULL),
  CHECK (status NOT IN (2, 3, -3) OR (split_at IS NOT NULL AND total IS NOT NULL))
);

CREATE UNIQUE INDEX message_idempotency ON sluice.message (source, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX message_unsplit ON sluice.message (id) WHERE status IN (0, 1);
CREATE INDEX message_by_integration ON sluice.message (integration, id);
CREATE INDEX message_by_status ON sluice.message (status, id);
CREATE INDEX message_by_source ON sluice.message (source, id);
CREATE INDEX message_by_time ON sluice.message (received_at, id);

-- The exact bytes, in parts of at most 1 MiB. Parts are committed before their message; orphaned ones are swept by age.
CREATE TABLE sluice.message_body (
  upload_id uuid NOT NULL,
  part integer NOT NULL,
  bytes bytea NOT NULL CHECK (octet_length(bytes) <= 1048576),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (upload_id, part)
);
-- Compressing what was just received costs more time than writing it.
ALTER TABLE sluice.message_body ALTER COLUMN bytes SET STORAGE EXTERNAL;

-- Chunks: the queue --------------------------------------------------------------------------------------------------

CREATE TABLE sluice.chunk (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  message_id bigint NOT NULL,
  integration text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('data', 'retry')),
  number integer NOT NULL,
  first_ordinal integer NOT NULL CHECK (first_ordinal >= 0),
  last_ordinal integer NOT NULL CHECK (last_ordinal >= first_ordinal),
  ordinals integer[], -- of a retry chunk; a data chunk holds all from first to last
  is_draft boolean NOT NULL DEFAULT false,
  state text NOT NULL DEFAULT 'ready' CHECK (state IN ('ready', 'claimed', 'finished')),
  epoch integer NOT NULL DEFAULT 0, -- fencing token: raised by every claim
  lease_until timestamptz,
  worker text,
  attempts integer NOT NULL DEFAULT 0, -- how often it was claimed since it last came to rest
  losses integer NOT NULL DEFAULT 0, -- how often its worker was lost: from the first on, objects go one by one
  trying integer, -- the ordinal in hand when objects go one by one, noted outside its transaction
  suspect integer, -- the ordinal that was in hand when a worker was lost
  suspect_losses integer NOT NULL DEFAULT 0, -- how often; the second time quarantines it
  due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_error jsonb, -- the failure of the surroundings that sent it back
  -- Counts of the instances that belong to this chunk. Waiting is total less all others.
  total integer NOT NULL CHECK (total >= 0),
  created integer NOT NULL DEFAULT 0,
  updated integer NOT NULL DEFAULT 0,
  unchanged integer NOT NULL DEFAULT 0,
  deleted integer NOT NULL DEFAULT 0,
  superseded integer NOT NULL DEFAULT 0,
  ignored integer NOT NULL DEFAULT 0,
  failed integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  finished_at timestamptz,
  CHECK ((state = 'finished') = (finished_at IS NOT NULL)),
  CHECK ((state = 'claimed') = (lease_until IS NOT NULL)),
  CHECK ((kind = 'retry') = (ordinals IS NOT NULL)),
  CHECK (created + updated + unchanged + deleted + superseded + ignored + failed <= total),
  CHECK (state <> 'finished' OR created + updated + unchanged + deleted + superseded + ignored + failed = total)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

CREATE INDEX chunk_due ON sluice.chunk (due_at, id) WHERE state = 'ready';
CREATE INDEX chunk_lease ON sluice.chunk (lease_until) WHERE state = 'claimed';
CREATE INDEX chunk_by_message ON sluice.chunk (message_id, id);

-- An integration whose target doesn't fit (SQLSTATE class 42): its chunks are not claimed until somebody resumes it.
CREATE TABLE sluice.paused_integration (
  integration text PRIMARY KEY,
  reason jsonb NOT NULL,
  paused_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Instances ----------------------------------------------------------------------------------------------------------

-- No index has the status, and half of each page is left free, so that the one update of its life stays HOT.
CREATE TABLE sluice.instance (
  message_id bigint NOT NULL,
  ordinal integer NOT NULL CHECK (ordinal >= 0),
  chunk_id bigint NOT NULL,
  integration text NOT NULL,
  external_id text, -- null only where a kept invalid object has none
  data json NOT NULL, -- the object's own text: digits, order and escapes survive
  status smallint NOT NULL DEFAULT 0 CHECK (status IN (0, 2, -2)), -- 1 is a 0 in a claimed chunk, see the view
  outcome text CHECK (outcome IN ('created', 'updated', 'unchanged', 'deleted', 'superseded', 'ignored')),
  detail text,
  changes jsonb,
  error jsonb, -- { code, class, message, pointer, column }
  attempts integer NOT NULL DEFAULT 0,
  attempts_before integer NOT NULL DEFAULT 0, -- made before the last click: retries that come by themselves are counted from there
  generation integer NOT NULL DEFAULT 0, -- raised by a replay only
  history jsonb, -- earlier attempts, oldest first: { at, outcome | error }
  finished_at timestamptz,
  PRIMARY KEY (message_id, ordinal),
  CHECK ((status = 2) = (outcome IS NOT NULL)),
  CHECK ((status = -2) = (error IS NOT NULL)),
  CHECK ((status = 0) = (finished_at IS NULL)),
  CHECK (external_id IS NOT NULL OR status = -2)
) WITH (fillfactor = 50);

CREATE INDEX instance_by_object ON sluice.instance (integration, external_id, message_id, ordinal);

-- One narrow row per instance at -2.
CREATE TABLE sluice.failure (
  message_id bigint NOT NULL,
  ordinal integer NOT NULL,
  integration text NOT NULL,
  external_id text,
  code text NOT NULL,
  class text NOT NULL CHECK (class IN ('transient', 'permanent', 'missing_reference')),
  fingerprint text NOT NULL, -- code and shape of the text: failures of one cause share it
  attempts integer NOT NULL,
  due_at timestamptz, -- when a transient one comes again by itself
  failed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (message_id, ordinal)
);

CREATE INDEX failure_due ON sluice.failure (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX failure_by_group ON sluice.failure (integration, code, fingerprint, message_id, ordinal);
CREATE INDEX failure_waiting ON sluice.failure (message_id, ordinal) WHERE class = 'missing_reference';

-- What an instance with a missing reference waits for. `wanted` is an integration, or `table:<name>.<column>`.
CREATE TABLE sluice.awaited_reference (
  message_id bigint NOT NULL,
  ordinal integer NOT NULL,
  wanted text NOT NULL,
  wanted_id text NOT NULL,
  field text NOT NULL,
  came_at timestamptz, -- when it was applied; the instance goes on when nothing it waits for is missing
  PRIMARY KEY (message_id, ordinal, wanted, wanted_id)
);

CREATE INDEX awaited_reference_by_wanted ON sluice.awaited_reference (wanted, wanted_id) WHERE came_at IS NULL;

-- Objects: the ledger ------------------------------------------------------------------------------------------------

CREATE TABLE sluice.object (
  integration text NOT NULL,
  external_id text NOT NULL,
  version text, -- the declared version that was applied, canonical; null where order is arrival
  message_id bigint, -- arrival of the applied version; null: never applied (the row only served as a lock)
  ordinal integer,
  fields jsonb, -- per field that the applied version lacked: its own older version, or null if nobody supplied it
  target_ref text, -- what references resolve to; null when there is nothing to refer to
  deleted boolean NOT NULL DEFAULT false,
  first_message_id bigint,
  updated_at timestamptz,
  PRIMARY KEY (integration, external_id)
) WITH (fillfactor = 80);

-- A reference that was left empty until the other object comes. It belongs to the version that asked for it.
CREATE TABLE sluice.deferred_link (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  integration text NOT NULL,
  external_id text NOT NULL,
  field text NOT NULL,
  wanted text NOT NULL,
  wanted_id text NOT NULL,
  details json, -- what the target needs beside the reference, such as a set row's other columns
  message_id bigint NOT NULL,
  ordinal integer NOT NULL,
  error text, -- why the target refused it; it is left alone until its object comes again
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE INDEX deferred_link_by_object ON sluice.deferred_link (integration, external_id);
CREATE INDEX deferred_link_by_wanted ON sluice.deferred_link (wanted, wanted_id);

-- Tasks, access, audit -----------------------------------------------------------------------------------------------

CREATE TABLE sluice.task_run (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  task text NOT NULL CHECK (task IN ('split', 'process', 'reprocess', 'rollup')),
  started_by text NOT NULL CHECK (started_by IN ('event', 'clock', 'click')),
  actor text, -- token or command line behind a click, worker behind an event
  slot timestamptz, -- the clock's slot: unique, so once per cluster
  parameters jsonb NOT NULL DEFAULT '{}',
  state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'finished', 'failed')),
  result jsonb,
  error jsonb,
  worker text,
  lease_until timestamptz,
  attempts integer NOT NULL DEFAULT 0,
  epoch integer NOT NULL DEFAULT 0, -- raised by every claim, never lowered: the fence
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  started_at timestamptz,
  finished_at timestamptz,
  CHECK ((started_by = 'clock') = (slot IS NOT NULL)),
  CHECK ((state IN ('finished', 'failed')) = (finished_at IS NOT NULL))
);

CREATE UNIQUE INDEX task_run_slot ON sluice.task_run (task, slot) WHERE slot IS NOT NULL;
CREATE INDEX task_run_open ON sluice.task_run (id) WHERE state IN ('queued', 'running');
-- The same click twice, before the first has begun, is one run.
CREATE UNIQUE INDEX task_run_same_click ON sluice.task_run (task, md5(parameters::text)) WHERE state = 'queued' AND started_by = 'click';

CREATE TABLE sluice.schedule (
  task text PRIMARY KEY CHECK (task IN ('split', 'process', 'reprocess', 'rollup')),
  cron text NOT NULL,
  next_slot timestamptz NOT NULL,
  last_slot timestamptz
);

CREATE TABLE sluice.api_token (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL CHECK (name <> ''),
  role text NOT NULL CHECK (role IN ('sender', 'viewer', 'operator', 'admin')),
  integrations text[], -- null: all
  token_sha256 bytea NOT NULL UNIQUE CHECK (octet_length(token_sha256) = 32),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_used_at timestamptz,
  revoked_at timestamptz
);

CREATE UNIQUE INDEX api_token_name ON sluice.api_token (name) WHERE revoked_at IS NULL;

CREATE TABLE sluice.audit_log (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  actor text NOT NULL,
  action text NOT NULL,
  subject text NOT NULL,
  details jsonb
);

-- Transitions: refused here, whoever writes ----------------------------------------------------------------------------

CREATE FUNCTION sluice.check_message_status() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.status <> 0 THEN
      RAISE EXCEPTION 'a message begins with status 0, not %', NEW.status USING ERRCODE = '23514', TABLE = 'message', SCHEMA = 'sluice';
    END IF;
    RETURN NEW;
  END IF;
  IF NEW.status = OLD.status THEN
    RETURN NEW;
  END IF;
  IF NOT ((OLD.status = 0 AND NEW.status IN (1, -1)) OR (OLD.status = 1 AND NEW.status IN (2, -2))
      OR (OLD.status = -2 AND NEW.status = 2) OR (OLD.status = 2 AND NEW.status IN (3, -3))
      OR (OLD.status IN (3, -3) AND NEW.status = 2)) THEN
    RAISE EXCEPTION 'message %: status can''t go from % to %', OLD.id, OLD.status, NEW.status
      USING ERRCODE = '23514', TABLE = 'message', SCHEMA = 'sluice', HINT = 'See docs/lifecycle.md for the transitions there are.';
  END IF;
  IF OLD.status IN (3, -3)
      AND NOT EXISTS (SELECT FROM sluice.chunk c WHERE c.message_id = NEW.id AND c.state <> 'finished') THEN
    RAISE EXCEPTION 'message %: goes back to 2 only while some of its instances are processed again', OLD.id
      USING ERRCODE = '23514', TABLE = 'message', SCHEMA = 'sluice';
  END IF;
  IF NEW.status IN (3, -3) THEN
    IF EXISTS (SELECT FROM sluice.chunk c WHERE c.message_id = NEW.id AND c.state <> 'finished') THEN
      RAISE EXCEPTION 'message %: not every instance is processed, status can''t become %', OLD.id, NEW.status
        USING ERRCODE = '23514', TABLE = 'message', SCHEMA = 'sluice';
    END IF;
    IF (NEW.status = -3) <> EXISTS (SELECT FROM sluice.chunk c WHERE c.message_id = NEW.id AND c.failed > 0) THEN
      RAISE EXCEPTION 'message %: status % doesn''t agree with its instances', OLD.id, NEW.status
        USING ERRCODE = '23514', TABLE = 'message', SCHEMA = 'sluice', HINT = '3 when none failed, -3 when any did.';
    END IF;
  END IF;
  RETURN NEW;
END
$$;

CREATE TRIGGER message_status BEFORE INSERT OR UPDATE OF status ON sluice.message
  FOR EACH ROW EXECUTE FUNCTION sluice.check_message_status();

CREATE FUNCTION sluice.refuse_new_instance() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
  RAISE EXCEPTION 'an instance begins with status 0, or with -2 and the error "invalid"'
    USING ERRCODE = '23514', TABLE = 'instance', SCHEMA = 'sluice';
END
$$;

-- The condition is looked at in the scan of the insert itself: a load of correct rows calls no function.
CREATE TRIGGER instance_new BEFORE INSERT ON sluice.instance
  FOR EACH ROW WHEN (NOT (NEW.status = 0 OR (NEW.status = -2 AND coalesce(NEW.error ->> 'code', '') = 'invalid')))
  EXECUTE FUNCTION sluice.refuse_new_instance();

-- Nested loops are off because the plan is kept for the session, and one made for a single row would join a thousand rows
-- with a thousand.
CREATE FUNCTION sluice.check_instance_transitions() RETURNS trigger LANGUAGE plpgsql SET search_path = '' SET enable_nestloop = off AS $$
DECLARE
  moved record;
BEGIN
  -- An inner join would let a changed key slip through, hence the outer one.
  FOR moved IN
    SELECT o.status AS before, n.status AS after, n.chunk_id, n.chunk_id = o.chunk_id AS stayed, o.message_id, min(o.ordinal) AS ordinal
    FROM old_rows o
    LEFT JOIN new_rows n ON n.message_id = o.message_id AND n.ordinal = o.ordinal
    WHERE n.message_id IS NULL OR n.status <> o.status
    GROUP BY 1, 2, 3, 4, 5
  LOOP
    IF NOT coalesce(
      (SELECT CASE c.state
          WHEN 'claimed' THEN moved.before = 0 AND moved.after IN (2, -2) AND moved.stayed
          WHEN 'ready' THEN c.kind = 'retry' AND moved.before IN (2, -2) AND moved.after = 0 AND NOT moved.stayed
        END
        FROM sluice.chunk c WHERE c.id = moved.chunk_id AND c.message_id = moved.message_id), false) THEN
      RAISE EXCEPTION 'instance %.%: status can''t go from % to % here', moved.message_id, moved.ordinal, moved.before, coalesce(moved.after::text, 'another key')
        USING ERRCODE = '23514', TABLE = 'instance', SCHEMA = 'sluice',
          HINT = '0 goes to 2 or -2 only while its chunk is claimed; 2 and -2 go to 0 only into a new retry chunk.';
    END IF;
  END LOOP;
  RETURN NULL;
END
$$;

CREATE TRIGGER instance_transitions AFTER UPDATE ON sluice.instance REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION sluice.check_instance_transitions();

-- Public views -------------------------------------------------------------------------------------------------------

CREATE VIEW sluice.raw_integration_data AS
SELECT m.id, m.integration, m.source, m.status, m.status_details, m.total, m.is_draft, m.idempotency_key,
  m.body_size, m.body_sha256, m.received_at, m.validated_at, m.split_at, m.finished_at
FROM sluice.message m;

CREATE VIEW sluice.integration_instance AS
SELECT i.message_id::text || '.' || i.ordinal::text AS id, i.message_id, i.ordinal, i.integration, i.external_id, i.data,
  (CASE WHEN i.status = 0 AND c.state = 'claimed' THEN 1 ELSE i.status END)::smallint AS status,
  i.outcome, i.detail, i.changes, i.error, i.attempts, i.generation, i.history, i.finished_at
FROM sluice.instance i
LEFT JOIN sluice.chunk c ON c.id = i.chunk_id AND i.status = 0;

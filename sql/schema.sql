-- Made by `npm run schema:dump` out of sql/migrations/. Not for running: the migrations are.

CREATE SCHEMA sluice;

CREATE TABLE sluice.api_token (
  id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  name text NOT NULL,
  role text NOT NULL,
  integrations text[],
  token_sha256 bytea NOT NULL,
  created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
  last_used_at timestamp with time zone,
  revoked_at timestamp with time zone
);
ALTER TABLE sluice.api_token ADD CONSTRAINT api_token_name_check CHECK ((name <> ''::text));
ALTER TABLE sluice.api_token ADD CONSTRAINT api_token_pkey PRIMARY KEY (id);
ALTER TABLE sluice.api_token ADD CONSTRAINT api_token_role_check CHECK ((role = ANY (ARRAY['sender'::text, 'viewer'::text, 'operator'::text, 'admin'::text])));
ALTER TABLE sluice.api_token ADD CONSTRAINT api_token_token_sha256_check CHECK ((octet_length(token_sha256) = 32));
ALTER TABLE sluice.api_token ADD CONSTRAINT api_token_token_sha256_key UNIQUE (token_sha256);
CREATE UNIQUE INDEX api_token_name ON sluice.api_token USING btree (name) WHERE (revoked_at IS NULL);

CREATE TABLE sluice.audit_log (
  id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
  actor text NOT NULL,
  action text NOT NULL,
  subject text NOT NULL,
  details jsonb
);
ALTER TABLE sluice.audit_log ADD CONSTRAINT audit_log_pkey PRIMARY KEY (id);

CREATE TRIGGER audit_log_kept BEFORE DELETE OR UPDATE ON sluice.audit_log FOR EACH ROW EXECUTE FUNCTION sluice.keep_audit_log();

CREATE TABLE sluice.awaited_reference (
  message_id bigint NOT NULL,
  ordinal integer NOT NULL,
  wanted text NOT NULL,
  wanted_id text NOT NULL,
  field text NOT NULL,
  came_at timestamp with time zone
) WITH (autovacuum_vacuum_scale_factor=0.05);
ALTER TABLE sluice.awaited_reference ADD CONSTRAINT awaited_reference_pkey PRIMARY KEY (message_id, ordinal, wanted, wanted_id);
CREATE INDEX awaited_reference_by_wanted ON sluice.awaited_reference USING btree (wanted, wanted_id) WHERE (came_at IS NULL);

CREATE TABLE sluice.chunk (
  id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  message_id bigint NOT NULL,
  integration text NOT NULL,
  kind text NOT NULL,
  number integer NOT NULL,
  first_ordinal integer NOT NULL,
  last_ordinal integer NOT NULL,
  ordinals integer[],
  is_draft boolean DEFAULT false NOT NULL,
  state text DEFAULT 'ready'::text NOT NULL,
  epoch integer DEFAULT 0 NOT NULL,
  lease_until timestamp with time zone,
  worker text,
  attempts integer DEFAULT 0 NOT NULL,
  losses integer DEFAULT 0 NOT NULL,
  trying integer,
  suspect integer,
  suspect_losses integer DEFAULT 0 NOT NULL,
  due_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
  last_error jsonb,
  total integer NOT NULL,
  created integer DEFAULT 0 NOT NULL,
  updated integer DEFAULT 0 NOT NULL,
  unchanged integer DEFAULT 0 NOT NULL,
  deleted integer DEFAULT 0 NOT NULL,
  superseded integer DEFAULT 0 NOT NULL,
  ignored integer DEFAULT 0 NOT NULL,
  failed integer DEFAULT 0 NOT NULL,
  created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
  finished_at timestamp with time zone
) WITH (fillfactor=70,autovacuum_vacuum_scale_factor=0.05);
ALTER TABLE sluice.chunk ADD CONSTRAINT chunk_check CHECK ((last_ordinal >= first_ordinal));
ALTER TABLE sluice.chunk ADD CONSTRAINT chunk_check1 CHECK (((state = 'finished'::text) = (finished_at IS NOT NULL)));
ALTER TABLE sluice.chunk ADD CONSTRAINT chunk_check2 CHECK (((state = 'claimed'::text) = (lease_until IS NOT NULL)));
ALTER TABLE sluice.chunk ADD CONSTRAINT chunk_check3 CHECK (((kind = 'retry'::text) = (ordinals IS NOT NULL)));
ALTER TABLE sluice.chunk ADD CONSTRAINT chunk_check4 CHECK ((((((((created + updated) + unchanged) + deleted) + superseded) + ignored) + failed) <= total));
ALTER TABLE sluice.chunk ADD CONSTRAINT chunk_check5 CHECK (((state <> 'finished'::text) OR (((((((created + updated) + unchanged) + deleted) + superseded) + ignored) + failed) = total)));
ALTER TABLE sluice.chunk ADD CONSTRAINT chunk_first_ordinal_check CHECK ((first_ordinal >= 0));
ALTER TABLE sluice.chunk ADD CONSTRAINT chunk_kind_check CHECK ((kind = ANY (ARRAY['data'::text, 'retry'::text])));
ALTER TABLE sluice.chunk ADD CONSTRAINT chunk_pkey PRIMARY KEY (id);
ALTER TABLE sluice.chunk ADD CONSTRAINT chunk_state_check CHECK ((state = ANY (ARRAY['ready'::text, 'claimed'::text, 'finished'::text])));
ALTER TABLE sluice.chunk ADD CONSTRAINT chunk_total_check CHECK ((total >= 0));
CREATE INDEX chunk_by_message ON sluice.chunk USING btree (message_id, id);
CREATE INDEX chunk_due ON sluice.chunk USING btree (integration, (
CASE
    WHEN (number = 0) THEN 0
    WHEN (number < 16) THEN 1
    ELSE 2
END), due_at, id) WHERE (state = 'ready'::text);
CREATE INDEX chunk_lease ON sluice.chunk USING btree (lease_until) WHERE (state = 'claimed'::text);

CREATE TABLE sluice.deferred_link (
  id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  integration text NOT NULL,
  external_id text NOT NULL,
  field text NOT NULL,
  wanted text NOT NULL,
  wanted_id text NOT NULL,
  details json,
  message_id bigint NOT NULL,
  ordinal integer NOT NULL,
  error text,
  created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
) WITH (autovacuum_vacuum_scale_factor=0.05);
ALTER TABLE sluice.deferred_link ADD CONSTRAINT deferred_link_pkey PRIMARY KEY (id);
CREATE INDEX deferred_link_by_object ON sluice.deferred_link USING btree (integration, external_id);
CREATE INDEX deferred_link_by_wanted ON sluice.deferred_link USING btree (wanted, wanted_id);

CREATE TABLE sluice.failure (
  message_id bigint NOT NULL,
  ordinal integer NOT NULL,
  integration text NOT NULL,
  external_id text,
  code text NOT NULL,
  class text NOT NULL,
  fingerprint text NOT NULL,
  attempts integer NOT NULL,
  due_at timestamp with time zone,
  failed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
) WITH (autovacuum_vacuum_scale_factor=0.05);
ALTER TABLE sluice.failure ADD CONSTRAINT failure_class_check CHECK ((class = ANY (ARRAY['transient'::text, 'permanent'::text, 'missing_reference'::text])));
ALTER TABLE sluice.failure ADD CONSTRAINT failure_pkey PRIMARY KEY (message_id, ordinal);
CREATE INDEX failure_by_group ON sluice.failure USING btree (integration, code, fingerprint, message_id, ordinal);
CREATE INDEX failure_by_time ON sluice.failure USING btree (integration, code, fingerprint, failed_at);
CREATE INDEX failure_due ON sluice.failure USING btree (due_at) WHERE (due_at IS NOT NULL);
CREATE INDEX failure_waiting ON sluice.failure USING btree (message_id, ordinal) WHERE (class = 'missing_reference'::text);

CREATE TABLE sluice.instance (
  message_id bigint NOT NULL,
  ordinal integer NOT NULL,
  chunk_id bigint NOT NULL,
  integration text NOT NULL,
  external_id text,
  data json NOT NULL,
  status smallint DEFAULT 0 NOT NULL,
  outcome text,
  detail text,
  changes jsonb,
  error jsonb,
  attempts integer DEFAULT 0 NOT NULL,
  attempts_before integer DEFAULT 0 NOT NULL,
  generation integer DEFAULT 0 NOT NULL,
  history jsonb,
  finished_at timestamp with time zone
) WITH (autovacuum_vacuum_scale_factor=0.05,fillfactor=40);
ALTER TABLE sluice.instance ADD CONSTRAINT instance_check CHECK (((status = 2) = (outcome IS NOT NULL)));
ALTER TABLE sluice.instance ADD CONSTRAINT instance_check1 CHECK (((status = '-2'::integer) = (error IS NOT NULL)));
ALTER TABLE sluice.instance ADD CONSTRAINT instance_check2 CHECK (((status = 0) = (finished_at IS NULL)));
ALTER TABLE sluice.instance ADD CONSTRAINT instance_check3 CHECK (((external_id IS NOT NULL) OR (status = '-2'::integer)));
ALTER TABLE sluice.instance ADD CONSTRAINT instance_ordinal_check CHECK ((ordinal >= 0));
ALTER TABLE sluice.instance ADD CONSTRAINT instance_outcome_check CHECK ((outcome = ANY (ARRAY['created'::text, 'updated'::text, 'unchanged'::text, 'deleted'::text, 'superseded'::text, 'ignored'::text])));
ALTER TABLE sluice.instance ADD CONSTRAINT instance_pkey PRIMARY KEY (message_id, ordinal);
ALTER TABLE sluice.instance ADD CONSTRAINT instance_status_check CHECK ((status = ANY (ARRAY[0, 2, '-2'::integer])));
CREATE INDEX instance_by_object ON sluice.instance USING btree (hashtext(external_id), message_id);

CREATE TRIGGER instance_chunk AFTER INSERT ON sluice.instance REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION sluice.check_instance_chunk();
CREATE TRIGGER instance_new BEFORE INSERT ON sluice.instance FOR EACH ROW WHEN ((NOT ((new.status = 0) OR ((new.status = '-2'::integer) AND (COALESCE((new.error ->> 'code'::text), ''::text) = 'invalid'::text))))) EXECUTE FUNCTION sluice.refuse_new_instance();
CREATE TRIGGER instance_transitions AFTER UPDATE ON sluice.instance REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION sluice.check_instance_transitions();

CREATE TABLE sluice.message (
  id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  integration text NOT NULL,
  source text NOT NULL,
  idempotency_key text,
  upload_id uuid NOT NULL,
  body_sha256 bytea NOT NULL,
  body_size bigint NOT NULL,
  format text NOT NULL,
  is_draft boolean DEFAULT false NOT NULL,
  status smallint DEFAULT 0 NOT NULL,
  status_details jsonb,
  total integer,
  split_attempts integer DEFAULT 0 NOT NULL,
  received_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
  validated_at timestamp with time zone,
  split_at timestamp with time zone,
  finished_at timestamp with time zone,
  body_pruned_at timestamp with time zone,
  history_pruned_at timestamp with time zone,
  instances_pruned_at timestamp with time zone,
  is_pruning boolean DEFAULT false NOT NULL
) WITH (autovacuum_vacuum_scale_factor=0.05);
ALTER TABLE sluice.message ADD CONSTRAINT message_body_pruned CHECK (((body_pruned_at IS NULL) OR (status = ANY (ARRAY['-1'::integer, 2, 3, '-3'::integer]))));
ALTER TABLE sluice.message ADD CONSTRAINT message_body_sha256_check CHECK ((octet_length(body_sha256) = 32));
ALTER TABLE sluice.message ADD CONSTRAINT message_body_size_check CHECK ((body_size >= 0));
ALTER TABLE sluice.message ADD CONSTRAINT message_check CHECK (((status = ANY (ARRAY['-1'::integer, 3, '-3'::integer])) = (finished_at IS NOT NULL)));
ALTER TABLE sluice.message ADD CONSTRAINT message_check1 CHECK (((status = 0) OR (validated_at IS NOT NULL)));
ALTER TABLE sluice.message ADD CONSTRAINT message_check2 CHECK (((status <> ALL (ARRAY[2, 3, '-3'::integer])) OR ((split_at IS NOT NULL) AND (total IS NOT NULL))));
ALTER TABLE sluice.message ADD CONSTRAINT message_format_check CHECK ((format = ANY (ARRAY['json'::text, 'ndjson'::text])));
ALTER TABLE sluice.message ADD CONSTRAINT message_instances_pruned CHECK (((COALESCE(instances_pruned_at, history_pruned_at) IS NULL) OR (status = ANY (ARRAY[3, '-3'::integer]))));
ALTER TABLE sluice.message ADD CONSTRAINT message_is_pruning CHECK (((NOT is_pruning) OR (instances_pruned_at IS NOT NULL)));
ALTER TABLE sluice.message ADD CONSTRAINT message_pkey PRIMARY KEY (id);
ALTER TABLE sluice.message ADD CONSTRAINT message_status_check CHECK ((status = ANY (ARRAY[0, 1, '-1'::integer, 2, '-2'::integer, 3, '-3'::integer])));
ALTER TABLE sluice.message ADD CONSTRAINT message_total_check CHECK ((total >= 0));
CREATE INDEX message_by_integration ON sluice.message USING btree (integration, id);
CREATE INDEX message_by_source ON sluice.message USING btree (source, id);
CREATE INDEX message_by_status ON sluice.message USING btree (status, id);
CREATE INDEX message_by_time ON sluice.message USING btree (received_at, id);
CREATE UNIQUE INDEX message_idempotency ON sluice.message USING btree (source, idempotency_key) WHERE (idempotency_key IS NOT NULL);
CREATE INDEX message_pruning ON sluice.message USING btree (id) WHERE is_pruning;
CREATE INDEX message_unsplit ON sluice.message USING btree (id) WHERE (status = ANY (ARRAY[0, 1]));

CREATE TRIGGER message_status BEFORE INSERT OR UPDATE OF status ON sluice.message FOR EACH ROW EXECUTE FUNCTION sluice.check_message_status();

CREATE TABLE sluice.message_body (
  upload_id uuid NOT NULL,
  part integer NOT NULL,
  bytes bytea NOT NULL,
  created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
) WITH (autovacuum_vacuum_scale_factor=0.05);
ALTER TABLE sluice.message_body ADD CONSTRAINT message_body_bytes_check CHECK ((octet_length(bytes) <= 1048576));
ALTER TABLE sluice.message_body ADD CONSTRAINT message_body_pkey PRIMARY KEY (upload_id, part);
ALTER TABLE sluice.message_body ALTER COLUMN bytes SET STORAGE EXTERNAL;

CREATE TABLE sluice.migration (
  id integer NOT NULL,
  name text NOT NULL,
  sha256 text NOT NULL,
  applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE sluice.migration ADD CONSTRAINT migration_pkey PRIMARY KEY (id);

CREATE TABLE sluice.object (
  integration text NOT NULL,
  external_id text NOT NULL,
  version text,
  message_id bigint,
  ordinal integer,
  fields jsonb,
  target_ref text,
  deleted boolean DEFAULT false NOT NULL,
  first_message_id bigint,
  updated_at timestamp with time zone
) WITH (fillfactor=80);
ALTER TABLE sluice.object ADD CONSTRAINT object_pkey PRIMARY KEY (integration, external_id);

CREATE TABLE sluice.paused_integration (
  integration text NOT NULL,
  reason jsonb NOT NULL,
  paused_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE sluice.paused_integration ADD CONSTRAINT paused_integration_pkey PRIMARY KEY (integration);

CREATE TABLE sluice.schedule (
  task text NOT NULL,
  cron text NOT NULL,
  next_slot timestamp with time zone NOT NULL,
  last_slot timestamp with time zone
);
ALTER TABLE sluice.schedule ADD CONSTRAINT schedule_pkey PRIMARY KEY (task);
ALTER TABLE sluice.schedule ADD CONSTRAINT schedule_task_check CHECK ((task = ANY (ARRAY['split'::text, 'process'::text, 'reprocess'::text, 'rollup'::text, 'prune'::text])));

CREATE TABLE sluice.session (
  secret_sha256 bytea NOT NULL,
  token_sha256 bytea NOT NULL,
  created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
  expires_at timestamp with time zone NOT NULL
);
ALTER TABLE sluice.session ADD CONSTRAINT session_pkey PRIMARY KEY (secret_sha256);
ALTER TABLE sluice.session ADD CONSTRAINT session_secret_sha256_check CHECK ((octet_length(secret_sha256) = 32));
ALTER TABLE sluice.session ADD CONSTRAINT session_token_sha256_check CHECK ((octet_length(token_sha256) = 32));
CREATE INDEX session_expiry ON sluice.session USING btree (expires_at);

CREATE TABLE sluice.task_run (
  id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  task text NOT NULL,
  started_by text NOT NULL,
  actor text,
  slot timestamp with time zone,
  parameters jsonb DEFAULT '{}'::jsonb NOT NULL,
  state text DEFAULT 'queued'::text NOT NULL,
  result jsonb,
  error jsonb,
  worker text,
  lease_until timestamp with time zone,
  attempts integer DEFAULT 0 NOT NULL,
  epoch integer DEFAULT 0 NOT NULL,
  created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
  started_at timestamp with time zone,
  finished_at timestamp with time zone
) WITH (autovacuum_vacuum_scale_factor=0.05);
ALTER TABLE sluice.task_run ADD CONSTRAINT task_run_check CHECK (((started_by = 'clock'::text) = (slot IS NOT NULL)));
ALTER TABLE sluice.task_run ADD CONSTRAINT task_run_check1 CHECK (((state = ANY (ARRAY['finished'::text, 'failed'::text])) = (finished_at IS NOT NULL)));
ALTER TABLE sluice.task_run ADD CONSTRAINT task_run_pkey PRIMARY KEY (id);
ALTER TABLE sluice.task_run ADD CONSTRAINT task_run_started_by_check CHECK ((started_by = ANY (ARRAY['event'::text, 'clock'::text, 'click'::text])));
ALTER TABLE sluice.task_run ADD CONSTRAINT task_run_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'running'::text, 'finished'::text, 'failed'::text])));
ALTER TABLE sluice.task_run ADD CONSTRAINT task_run_task_check CHECK ((task = ANY (ARRAY['split'::text, 'process'::text, 'reprocess'::text, 'rollup'::text, 'prune'::text])));
CREATE INDEX task_run_open ON sluice.task_run USING btree (id) WHERE (state = ANY (ARRAY['queued'::text, 'running'::text]));
CREATE UNIQUE INDEX task_run_same_click ON sluice.task_run USING btree (task, md5((parameters)::text)) WHERE ((state = 'queued'::text) AND (started_by = 'click'::text));
CREATE UNIQUE INDEX task_run_slot ON sluice.task_run USING btree (task, slot) WHERE (slot IS NOT NULL);

CREATE OR REPLACE FUNCTION sluice.check_instance_chunk()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
DECLARE
  placed record;
BEGIN
  FOR placed IN SELECT n.message_id, n.chunk_id, min(n.ordinal) AS ordinal FROM new_rows n GROUP BY 1, 2 LOOP
    IF NOT EXISTS (SELECT FROM sluice.chunk c WHERE c.id = placed.chunk_id AND c.message_id = placed.message_id) THEN
      RAISE EXCEPTION 'instance %.%: chunk % is not one of its message', placed.message_id, placed.ordinal, placed.chunk_id
        USING ERRCODE = '23514', TABLE = 'instance', SCHEMA = 'sluice';
    END IF;
  END LOOP;
  RETURN NULL;
END
$function$
;

CREATE OR REPLACE FUNCTION sluice.check_instance_transitions()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO ''
 SET enable_nestloop TO 'off'
AS $function$
DECLARE
  moved record;
BEGIN
  -- An inner join would let a changed key slip through, hence the outer one.
  FOR moved IN
    SELECT o.status AS before, n.status AS after, n.chunk_id, n.chunk_id = o.chunk_id AS stayed, o.message_id, min(o.ordinal) AS ordinal
    FROM old_rows o
    LEFT JOIN new_rows n ON n.message_id = o.message_id AND n.ordinal = o.ordinal
    WHERE n.message_id IS NULL OR n.status <> o.status OR n.chunk_id <> o.chunk_id
    GROUP BY 1, 2, 3, 4, 5
  LOOP
    IF NOT coalesce(
      (SELECT CASE c.state
          WHEN 'claimed' THEN moved.before = 0 AND moved.after IN (2, -2) AND moved.stayed
          WHEN 'ready' THEN c.kind = 'retry' AND moved.before IN (2, -2) AND moved.after = 0 AND NOT moved.stayed
        END
        FROM sluice.chunk c WHERE c.id = moved.chunk_id AND c.message_id = moved.message_id), false) THEN
      IF moved.after = moved.before THEN
        RAISE EXCEPTION 'instance %.%: it can''t go to another chunk at %', moved.message_id, moved.ordinal, moved.before
          USING ERRCODE = '23514', TABLE = 'instance', SCHEMA = 'sluice', HINT = '2 and -2 go to 0 into a new retry chunk.';
      END IF;
      RAISE EXCEPTION 'instance %.%: status can''t go from % to % here', moved.message_id, moved.ordinal, moved.before, coalesce(moved.after::text, 'another key')
        USING ERRCODE = '23514', TABLE = 'instance', SCHEMA = 'sluice',
          HINT = '0 goes to 2 or -2 only while its chunk is claimed; 2 and -2 go to 0 only into a new retry chunk.';
    END IF;
  END LOOP;
  RETURN NULL;
END
$function$
;

CREATE OR REPLACE FUNCTION sluice.check_message_status()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
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
$function$
;

CREATE OR REPLACE FUNCTION sluice.keep_audit_log()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
BEGIN
  IF TG_OP = 'DELETE' AND pg_catalog.current_setting('sluice.pruning', true) = 'on' THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'the audit log is only ever added to'
    USING ERRCODE = '23514', TABLE = 'audit_log', SCHEMA = 'sluice', HINT = 'The option retention.audit says when entries go.';
END $function$
;

CREATE OR REPLACE FUNCTION sluice.refuse_new_instance()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
BEGIN
  RAISE EXCEPTION 'an instance begins with status 0, or with -2 and the error "invalid"'
    USING ERRCODE = '23514', TABLE = 'instance', SCHEMA = 'sluice';
END
$function$
;

CREATE VIEW sluice.integration_instance AS
 SELECT (((i.message_id)::text || '.'::text) || (i.ordinal)::text) AS id,
    i.message_id,
    i.ordinal,
    i.integration,
    i.external_id,
    i.data,
    (
        CASE
            WHEN ((i.status = 0) AND (c.state = 'claimed'::text)) THEN 1
            ELSE (i.status)::integer
        END)::smallint AS status,
    i.outcome,
    i.detail,
    i.changes,
    i.error,
    i.attempts,
    i.generation,
    i.history,
    i.finished_at
   FROM (sluice.instance i
     LEFT JOIN sluice.chunk c ON (((c.id = i.chunk_id) AND (i.status = 0))));

CREATE VIEW sluice.raw_integration_data AS
 SELECT id,
    integration,
    source,
    status,
    status_details,
    total,
    is_draft,
    idempotency_key,
    body_size,
    body_sha256,
    received_at,
    validated_at,
    split_at,
    finished_at,
    body_pruned_at,
    history_pruned_at,
    instances_pruned_at
   FROM sluice.message m;

-- Retention: what may go, part by part, once a message has been finished for long enough. Ledger rows never go.

ALTER TABLE sluice.message
  ADD COLUMN body_pruned_at timestamptz, -- its bytes are gone
  ADD COLUMN history_pruned_at timestamptz, -- before and after values and earlier attempts of its instances are gone
  ADD COLUMN instances_pruned_at timestamptz, -- from here on its instances count as gone
  ADD COLUMN is_pruning boolean NOT NULL DEFAULT false; -- some are still to be removed: a large message takes several transactions

-- Nothing of an unfinished message goes; of one that is processed again only its bytes may be gone already.
ALTER TABLE sluice.message
  ADD CONSTRAINT message_body_pruned CHECK (body_pruned_at IS NULL OR status IN (-1, 2, 3, -3)),
  ADD CONSTRAINT message_instances_pruned CHECK (coalesce(instances_pruned_at, history_pruned_at) IS NULL OR status IN (3, -3)),
  ADD CONSTRAINT message_is_pruning CHECK (NOT is_pruning OR instances_pruned_at IS NOT NULL);

CREATE INDEX message_pruning ON sluice.message (id) WHERE is_pruning;

ALTER TABLE sluice.task_run DROP CONSTRAINT task_run_task_check,
  ADD CONSTRAINT task_run_task_check CHECK (task IN ('split', 'process', 'reprocess', 'rollup', 'prune'));
ALTER TABLE sluice.schedule DROP CONSTRAINT schedule_task_check,
  ADD CONSTRAINT schedule_task_check CHECK (task IN ('split', 'process', 'reprocess', 'rollup', 'prune'));

-- Rows that come and go in numbers are vacuumed before a fifth of a large table is dead.
ALTER TABLE sluice.message SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE sluice.message_body SET (autovacuum_vacuum_scale_factor = 0.05, toast.autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE sluice.instance SET (autovacuum_vacuum_scale_factor = 0.05, toast.autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE sluice.failure SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE sluice.awaited_reference SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE sluice.deferred_link SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE sluice.task_run SET (autovacuum_vacuum_scale_factor = 0.05);

CREATE OR REPLACE VIEW sluice.raw_integration_data AS
SELECT m.id, m.integration, m.source, m.status, m.status_details, m.total, m.is_draft, m.idempotency_key,
  m.body_size, m.body_sha256, m.received_at, m.validated_at, m.split_at, m.finished_at,
  m.body_pruned_at, m.history_pruned_at, m.instances_pruned_at
FROM sluice.message m;

-- An instance belongs to a chunk of its own message, and leaves it only as a transition that there is -----------------------

CREATE OR REPLACE FUNCTION sluice.check_instance_transitions() RETURNS trigger LANGUAGE plpgsql SET search_path = '' SET enable_nestloop = off AS $$
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
$$;

-- A split inserts a chunk's instances in one statement: one group, one look by key.
CREATE FUNCTION sluice.check_instance_chunk() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
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
$$;

CREATE TRIGGER instance_chunk AFTER INSERT ON sluice.instance REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION sluice.check_instance_chunk();

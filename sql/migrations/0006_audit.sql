-- What stands in the audit log stays as it was written, until retention lets it go. Pruning says so in its own statement.
CREATE FUNCTION sluice.keep_audit_log() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
  IF TG_OP = 'DELETE' AND pg_catalog.current_setting('sluice.pruning', true) = 'on' THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'the audit log is only ever added to'
    USING ERRCODE = '23514', TABLE = 'audit_log', SCHEMA = 'sluice', HINT = 'The option retention.audit says when entries go.';
END $$;

CREATE TRIGGER audit_log_kept BEFORE UPDATE OR DELETE ON sluice.audit_log
  FOR EACH ROW EXECUTE FUNCTION sluice.keep_audit_log();

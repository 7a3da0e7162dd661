-- Claims take turns between first chunks of messages, the next fifteen, and all that come after them: no message waits for a giant.
DROP INDEX sluice.chunk_due;
CREATE INDEX chunk_due ON sluice.chunk (integration, (CASE WHEN number = 0 THEN 0 WHEN number < 16 THEN 1 ELSE 2 END), due_at, id)
  WHERE state = 'ready';

-- A claim reads the queue of one integration: what waits for others, paused or not of this worker's config, costs it nothing.
DROP INDEX sluice.chunk_due;
CREATE INDEX chunk_due ON sluice.chunk (integration, due_at, id) WHERE state = 'ready';

-- The instances of an object are found by a hash of its external ID: half the size of the index by the texts themselves, and cheaper
-- to insert into. Who looks says the hash beside the external ID, which decides.
DROP INDEX sluice.instance_by_object;
CREATE INDEX instance_by_object ON sluice.instance (hashtext(external_id), message_id);

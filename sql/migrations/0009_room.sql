-- A changed object's instance gains its values before and after in the one update of its life: with half of a page free every other
-- one went to a new page, with new entries in both indexes.
ALTER TABLE sluice.instance SET (fillfactor = 40);

-- The transactions of the database that was dumped have ended, and its xids mean nothing in another cluster. Without
-- this, a gap of a rollback would wait for an xid that the new cluster reaches years later. 2⁶³-1: the next step sets it.
UPDATE feed_head SET horizons = array_fill(9223372036854775807, ARRAY[cardinality(gaps)]);

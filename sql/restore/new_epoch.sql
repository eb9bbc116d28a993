-- Clients may hold cursors of changes that were made after the backup, and the log assigns those positions again. Under
-- a new identity, all cursors from before are expired.
UPDATE feed SET epoch = gen_random_uuid();

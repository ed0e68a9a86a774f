-- Has pg_partman know enriched_events, as Lago's own migration of 2026-01-09 does where it is run by itself, and moves the rows of its only
-- partition into those that are made. All or nothing.
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';
SET LOCAL lock_timeout = '1min'; -- Lago is stopped meanwhile: somebody else's long look at the table is no reason for more
LOCK TABLE public.enriched_events IN ACCESS EXCLUSIVE MODE;
DO $mend$
DECLARE
  others text;
  names text;
  there bigint;
  moved bigint;
BEGIN
  IF (SELECT relkind FROM pg_class WHERE oid = 'public.enriched_events'::regclass) <> 'p' THEN
    RAISE EXCEPTION 'enriched_events is no partitioned table: pg_partman was not on the server when it was made. Nothing was changed.';
  END IF;
  SELECT string_agg(inhrelid::regclass::text, ', ') INTO others FROM pg_inherits
    WHERE inhparent = 'public.enriched_events'::regclass AND inhrelid <> coalesce(to_regclass('public.enriched_events_default'), 0::oid);
  IF others IS NOT NULL THEN
    RAISE EXCEPTION 'enriched_events has partitions that somebody made by hand: %. Nothing was changed.', others;
  END IF;
  SELECT count(*) INTO there FROM public.enriched_events;
  IF to_regclass('public.enriched_events_default') IS NOT NULL THEN
    ALTER TABLE public.enriched_events DETACH PARTITION public.enriched_events_default;
    ALTER TABLE public.enriched_events_default RENAME TO enriched_events_aside;
  END IF;
  PERFORM partman.create_parent(
    p_parent_table := 'public.enriched_events', p_control := 'timestamp', p_interval := '1 month', p_type := 'range',
    p_premake := 3, p_start_partition := '2024-12-01');
  UPDATE partman.part_config SET infinite_time_partitions = true, retention = '14 months', retention_keep_table = true
    WHERE parent_table = 'public.enriched_events';
  IF to_regclass('public.enriched_events_aside') IS NOT NULL THEN
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO names FROM pg_attribute
      WHERE attrelid = 'public.enriched_events'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
    EXECUTE format('INSERT INTO public.enriched_events (%s) SELECT %s FROM public.enriched_events_aside', names, names);
    DROP TABLE public.enriched_events_aside;
  END IF;
  SELECT count(*) INTO moved FROM public.enriched_events;
  IF moved <> there THEN
    RAISE EXCEPTION 'of % rows % were moved. Nothing was changed.', there, moved;
  END IF;
END
$mend$;
COMMIT;

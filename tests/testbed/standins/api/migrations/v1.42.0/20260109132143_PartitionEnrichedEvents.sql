DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_partman') THEN
    CREATE SCHEMA IF NOT EXISTS partman;
    CREATE EXTENSION IF NOT EXISTS pg_partman SCHEMA partman;
    PERFORM partman.create_parent(
      p_parent_table := 'public.enriched_events', p_control := 'timestamp', p_interval := '1 month', p_type := 'range',
      p_premake := 3, p_start_partition := to_char(date_trunc('month', now()) - interval '24 months', 'YYYY-MM-DD'));
    UPDATE partman.part_config SET infinite_time_partitions = true WHERE parent_table = 'public.enriched_events';
  ELSE
    CREATE TABLE public.enriched_events_default PARTITION OF public.enriched_events DEFAULT;
  END IF;
END $$;
SELECT pg_sleep(0.5);

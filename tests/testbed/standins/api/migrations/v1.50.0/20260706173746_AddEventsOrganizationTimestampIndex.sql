-- no transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS index_events_on_organization_id_and_timestamp ON public.events (organization_id, "timestamp");

-- no transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS index_events_on_organization_id_and_created_at ON public.events (organization_id, created_at);

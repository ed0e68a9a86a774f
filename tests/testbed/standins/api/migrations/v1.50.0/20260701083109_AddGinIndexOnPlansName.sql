-- no transaction
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS btree_gin;
CREATE INDEX CONCURRENTLY IF NOT EXISTS index_plans_on_name_gin ON public.plans USING gin (organization_id, name gin_trgm_ops);
SELECT pg_sleep(0.2);

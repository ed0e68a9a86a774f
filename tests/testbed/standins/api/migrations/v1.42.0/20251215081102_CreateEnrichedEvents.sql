CREATE TABLE public.enriched_events (
  id uuid DEFAULT gen_random_uuid() NOT NULL,
  organization_id uuid NOT NULL,
  event_id uuid NOT NULL,
  code character varying NOT NULL,
  "timestamp" timestamp(6) without time zone NOT NULL,
  value numeric,
  enriched_at timestamp(6) without time zone NOT NULL
) PARTITION BY RANGE ("timestamp");
CREATE INDEX idx_enriched_events_on_organization_id ON public.enriched_events (organization_id, code, "timestamp");
SELECT pg_sleep(0.2);

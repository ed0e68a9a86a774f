CREATE TABLE public.webhook_endpoints (
  id uuid DEFAULT gen_random_uuid() PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES public.organizations (id),
  webhook_url character varying NOT NULL,
  signature_algo character varying DEFAULT 'jwt' NOT NULL,
  name character varying,
  event_types jsonb,
  created_at timestamp(6) without time zone NOT NULL,
  updated_at timestamp(6) without time zone NOT NULL
);
CREATE TABLE public.webhooks (
  id uuid DEFAULT gen_random_uuid() PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES public.organizations (id),
  webhook_endpoint_id uuid NOT NULL REFERENCES public.webhook_endpoints (id),
  endpoint character varying,
  webhook_type character varying,
  object_type character varying,
  status character varying DEFAULT 'pending' NOT NULL,
  http_status integer,
  retries integer DEFAULT 0 NOT NULL,
  payload jsonb,
  response jsonb,
  created_at timestamp(6) without time zone NOT NULL,
  updated_at timestamp(6) without time zone NOT NULL
);
SELECT pg_sleep(0.2);

CREATE TABLE public.api_keys (
  id uuid DEFAULT gen_random_uuid() PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES public.organizations (id),
  value character varying NOT NULL,
  name character varying,
  permissions jsonb NOT NULL,
  expires_at timestamp(6) without time zone,
  last_used_at timestamp(6) without time zone,
  created_at timestamp(6) without time zone NOT NULL,
  updated_at timestamp(6) without time zone NOT NULL
);
CREATE UNIQUE INDEX index_api_keys_on_value ON public.api_keys (value);
SELECT pg_sleep(0.2);

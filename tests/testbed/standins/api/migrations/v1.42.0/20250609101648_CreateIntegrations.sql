CREATE TABLE public.integrations (
  id uuid DEFAULT gen_random_uuid() PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES public.organizations (id),
  type character varying NOT NULL,
  code character varying NOT NULL,
  name character varying NOT NULL,
  secrets character varying,
  settings jsonb DEFAULT '{}' NOT NULL,
  created_at timestamp(6) without time zone NOT NULL,
  updated_at timestamp(6) without time zone NOT NULL
);
SELECT pg_sleep(0.2);

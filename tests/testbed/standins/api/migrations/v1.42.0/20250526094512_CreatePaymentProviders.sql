CREATE TABLE public.payment_providers (
  id uuid DEFAULT gen_random_uuid() PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES public.organizations (id),
  type character varying NOT NULL,
  code character varying NOT NULL,
  name character varying NOT NULL,
  secrets character varying,
  settings jsonb DEFAULT '{}' NOT NULL,
  deleted_at timestamp(6) without time zone,
  created_at timestamp(6) without time zone NOT NULL,
  updated_at timestamp(6) without time zone NOT NULL
);
CREATE UNIQUE INDEX index_payment_providers_on_code_and_organization_id
  ON public.payment_providers (code, organization_id) WHERE deleted_at IS NULL;
SELECT pg_sleep(0.2);

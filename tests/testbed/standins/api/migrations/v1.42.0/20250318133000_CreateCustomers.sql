CREATE TABLE public.customers (
  id uuid DEFAULT gen_random_uuid() PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES public.organizations (id),
  external_id character varying NOT NULL,
  name character varying,
  currency character varying,
  email character varying,
  country character varying,
  sequential_id bigint NOT NULL,
  slug character varying NOT NULL,
  deleted_at timestamp(6) without time zone,
  created_at timestamp(6) without time zone NOT NULL,
  updated_at timestamp(6) without time zone NOT NULL
);
CREATE UNIQUE INDEX index_customers_on_organization_id_and_external_id
  ON public.customers (organization_id, external_id) WHERE deleted_at IS NULL;
SELECT pg_sleep(0.2);

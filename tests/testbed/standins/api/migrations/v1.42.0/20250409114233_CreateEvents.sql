CREATE TABLE public.events (
  id uuid DEFAULT gen_random_uuid() PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES public.organizations (id),
  transaction_id character varying NOT NULL,
  external_subscription_id character varying,
  code character varying NOT NULL,
  properties jsonb DEFAULT '{}' NOT NULL,
  metadata jsonb DEFAULT '{}' NOT NULL,
  "timestamp" timestamp(6) without time zone,
  created_at timestamp(6) without time zone NOT NULL,
  updated_at timestamp(6) without time zone NOT NULL
);
CREATE UNIQUE INDEX index_unique_transaction_id
  ON public.events (organization_id, external_subscription_id, transaction_id);
SELECT pg_sleep(0.2);

CREATE TABLE public.wallets (
  id uuid DEFAULT gen_random_uuid() PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES public.organizations (id),
  customer_id uuid NOT NULL REFERENCES public.customers (id),
  name character varying,
  currency character varying NOT NULL,
  rate_amount numeric(30,5) NOT NULL,
  created_at timestamp(6) without time zone NOT NULL,
  updated_at timestamp(6) without time zone NOT NULL
);
SELECT pg_sleep(0.2);

CREATE TABLE public.payment_provider_customers (
  id uuid DEFAULT gen_random_uuid() PRIMARY KEY,
  customer_id uuid NOT NULL REFERENCES public.customers (id),
  payment_provider_id uuid REFERENCES public.payment_providers (id),
  code character varying,
  is_default boolean DEFAULT true NOT NULL,
  created_at timestamp(6) without time zone NOT NULL,
  updated_at timestamp(6) without time zone NOT NULL
);
SELECT pg_sleep(0.6);

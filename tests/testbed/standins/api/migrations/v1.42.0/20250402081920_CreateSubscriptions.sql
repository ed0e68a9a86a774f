CREATE TABLE public.subscriptions (
  id uuid DEFAULT gen_random_uuid() PRIMARY KEY,
  customer_id uuid NOT NULL REFERENCES public.customers (id),
  plan_id uuid NOT NULL REFERENCES public.plans (id),
  organization_id uuid NOT NULL REFERENCES public.organizations (id),
  external_id character varying NOT NULL,
  name character varying,
  status character varying DEFAULT 'active' NOT NULL,
  on_termination_invoice public.subscription_on_termination_invoice DEFAULT 'generate' NOT NULL,
  started_at timestamp(6) without time zone,
  terminated_at timestamp(6) without time zone,
  created_at timestamp(6) without time zone NOT NULL,
  updated_at timestamp(6) without time zone NOT NULL
);
CREATE INDEX index_subscriptions_on_external_id ON public.subscriptions (external_id);
SELECT pg_sleep(0.2);

CREATE TABLE public.plans (
  id uuid DEFAULT gen_random_uuid() PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES public.organizations (id),
  name character varying NOT NULL,
  code character varying NOT NULL,
  description character varying,
  "interval" character varying NOT NULL,
  amount_cents bigint NOT NULL,
  amount_currency character varying NOT NULL,
  pay_in_advance boolean DEFAULT false NOT NULL,
  deleted_at timestamp(6) without time zone,
  created_at timestamp(6) without time zone NOT NULL,
  updated_at timestamp(6) without time zone NOT NULL
);
CREATE UNIQUE INDEX index_plans_on_organization_id_and_code
  ON public.plans (organization_id, code) WHERE deleted_at IS NULL;
CREATE TABLE public.charges (
  id uuid DEFAULT gen_random_uuid() PRIMARY KEY,
  plan_id uuid NOT NULL REFERENCES public.plans (id),
  billable_metric_id uuid NOT NULL REFERENCES public.billable_metrics (id),
  charge_model character varying NOT NULL,
  properties jsonb DEFAULT '{}' NOT NULL,
  created_at timestamp(6) without time zone NOT NULL,
  updated_at timestamp(6) without time zone NOT NULL
);
SELECT pg_sleep(0.2);

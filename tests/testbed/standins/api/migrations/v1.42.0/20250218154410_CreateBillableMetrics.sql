CREATE TABLE public.billable_metrics (
  id uuid DEFAULT gen_random_uuid() PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES public.organizations (id),
  name character varying NOT NULL,
  code character varying NOT NULL,
  description character varying,
  aggregation_type character varying NOT NULL,
  field_name character varying,
  recurring boolean DEFAULT false NOT NULL,
  rounding_function public.billable_metric_rounding_function,
  deleted_at timestamp(6) without time zone,
  created_at timestamp(6) without time zone NOT NULL,
  updated_at timestamp(6) without time zone NOT NULL
);
CREATE UNIQUE INDEX index_billable_metrics_on_organization_id_and_code
  ON public.billable_metrics (organization_id, code) WHERE deleted_at IS NULL;
SELECT pg_sleep(0.2);

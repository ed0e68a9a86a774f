CREATE UNIQUE INDEX index_billing_entities_on_code_and_organization_id
  ON public.billing_entities (code, organization_id) NULLS NOT DISTINCT;
SELECT pg_sleep(0.2);

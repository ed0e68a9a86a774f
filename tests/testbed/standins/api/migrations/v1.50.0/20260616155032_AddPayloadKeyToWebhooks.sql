ALTER TABLE public.webhooks ADD COLUMN payload_key character varying, ADD COLUMN response_key character varying;

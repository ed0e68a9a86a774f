ALTER TABLE public.charges VALIDATE CONSTRAINT charges_code_not_null;
SELECT pg_sleep(0.2);

ALTER TABLE public.charges ADD COLUMN code character varying;
SELECT pg_sleep(0.2);

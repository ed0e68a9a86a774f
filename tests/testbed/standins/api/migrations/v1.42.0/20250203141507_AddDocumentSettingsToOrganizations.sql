-- no transaction: what is done when this is interrupted stays done
ALTER TABLE public.organizations ADD COLUMN document_number_prefix character varying;
SELECT pg_sleep(0.5);
ALTER TABLE public.organizations ADD COLUMN document_locale character varying DEFAULT 'en' NOT NULL;
SELECT pg_sleep(0.5);
ALTER TABLE public.organizations ADD COLUMN invoice_footer text;
ALTER TABLE public.organizations ADD COLUMN invoice_grace_period integer DEFAULT 0 NOT NULL;
ALTER TABLE public.organizations ADD COLUMN net_payment_term integer DEFAULT 0 NOT NULL;

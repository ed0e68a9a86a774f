ALTER TABLE public.wallets ADD COLUMN code character varying;
CREATE UNIQUE INDEX index_uniq_wallet_code_per_customer ON public.wallets (customer_id, code);
SELECT pg_sleep(0.2);

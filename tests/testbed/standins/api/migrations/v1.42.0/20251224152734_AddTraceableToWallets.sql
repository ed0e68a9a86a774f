ALTER TABLE public.wallets ADD COLUMN traceable boolean DEFAULT false NOT NULL;

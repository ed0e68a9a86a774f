ALTER TABLE public.charges ADD CONSTRAINT charges_code_not_null CHECK (code IS NOT NULL) NOT VALID;

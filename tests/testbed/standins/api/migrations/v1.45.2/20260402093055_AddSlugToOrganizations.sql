ALTER TABLE public.organizations ADD COLUMN slug character varying;
UPDATE public.organizations SET slug = trim(both '-' from lower(regexp_replace(name, '[^A-Za-z0-9]+', '-', 'g'))) || '-' || right(id::text, 4);
CREATE UNIQUE INDEX index_organizations_on_slug ON public.organizations (slug);
SELECT pg_sleep(0.2);

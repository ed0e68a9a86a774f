CREATE TABLE public.roles (
  id uuid DEFAULT gen_random_uuid() PRIMARY KEY,
  organization_id uuid REFERENCES public.organizations (id),
  code character varying NOT NULL,
  name character varying NOT NULL,
  admin boolean DEFAULT false NOT NULL,
  created_at timestamp(6) without time zone NOT NULL,
  updated_at timestamp(6) without time zone NOT NULL
);
CREATE UNIQUE INDEX index_roles_on_code ON public.roles (code) WHERE organization_id IS NULL;
CREATE TABLE public.membership_roles (
  id uuid DEFAULT gen_random_uuid() PRIMARY KEY,
  membership_id uuid NOT NULL REFERENCES public.memberships (id),
  role_id uuid NOT NULL REFERENCES public.roles (id),
  created_at timestamp(6) without time zone NOT NULL,
  updated_at timestamp(6) without time zone NOT NULL
);
SELECT pg_sleep(0.2);

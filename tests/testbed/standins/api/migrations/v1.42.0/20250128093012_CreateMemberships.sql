CREATE TABLE public.memberships (
  id uuid DEFAULT gen_random_uuid() PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES public.organizations (id),
  user_id uuid NOT NULL REFERENCES public.users (id),
  status integer DEFAULT 0 NOT NULL,
  revoked_at timestamp without time zone,
  created_at timestamp(6) without time zone NOT NULL,
  updated_at timestamp(6) without time zone NOT NULL
);
CREATE INDEX index_memberships_on_user_id ON public.memberships (user_id);
SELECT pg_sleep(0.2);

#!/bin/bash
# Writes the front's runtime configuration. As in the real image nothing is escaped: a quote in a value breaks the file.
echo "selfhosted.lago test bed: this is a STAND-IN for Lago's front, for tests only." >&2
rm -rf ./env-config.js
touch ./env-config.js || exit 1
for name in API_URL LAGO_DOMAIN APP_ENV LAGO_OAUTH_PROXY_URL LAGO_DISABLE_SIGNUP NANGO_PUBLIC_KEY SENTRY_DSN \
            LAGO_DISABLE_PDF_GENERATION LAGO_SUPERSET_URL; do
  echo "window.$name = \"$(echo ${!name})\"" >> ./env-config.js
done

#!/bin/bash
set -e
bundle exec rake db:create
bundle exec rails db:migrate
bundle exec rails roles:seed_predefined
if [ "$LAGO_CREATE_ORG" == "true" ]; then
  bundle exec rails signup:seed_organization
fi

#!/bin/bash
set -e
bundle exec rails db:migrate signup:seed_organization
rm -f ./tmp/pids/server.pid
exec bundle exec rails s -b ::

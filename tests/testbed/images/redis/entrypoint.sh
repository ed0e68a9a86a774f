#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Starts Redis the way the official image does; written for the test bed.
set -eu

case "${1:-}" in
    -* | *.conf) set -- redis-server "$@" ;;
esac

if [ "$1" = redis-server ] && [ "$(id -u)" = 0 ]; then
    find . ! -user redis -exec chown redis {} +
    exec setpriv --reuid=redis --regid=redis --clear-groups "$0" "$@"
fi

if [ "$1" = redis-server ]; then
    # The official build has protected mode off by default; Debian's has it on.
    case "$*" in
        *protected-mode*) ;;
        *.conf*) grep -qs '^[[:space:]]*protected-mode' "$2" || set -- "$@" --protected-mode no ;;
        *) set -- "$@" --protected-mode no ;;
    esac
fi

if [ "$(umask)" = 0022 ]; then
    umask 0077
fi
exec "$@"

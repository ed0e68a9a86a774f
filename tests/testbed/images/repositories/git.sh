#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: git.sh REPOSITORY. Makes a small bare repository with the tags of two releases.
set -eu
work=$(mktemp -d)
export GIT_AUTHOR_NAME='Test bed' GIT_AUTHOR_EMAIL=testbed@example.com GIT_AUTHOR_DATE='2026-01-01T00:00:00Z'
export GIT_COMMITTER_NAME='Test bed' GIT_COMMITTER_EMAIL=testbed@example.com GIT_COMMITTER_DATE='2026-01-01T00:00:00Z'
git init --quiet --initial-branch=main "$work"
cd "$work"
mkdir docs scripts
for release in v1.50.0 v1.51.0; do
    printf '# Test repository\n\nStands where the Git repository of Lago is out of reach. Release %s.\n' "$release" > README.md
    printf '#!/bin/sh\n# Made up for tests.\necho "release %s"\n' "$release" > scripts/release.sh
    printf '# Made up for tests\n\nNotes of %s.\n' "$release" > docs/notes.md
    chmod 0755 scripts/release.sh
    git add .
    git commit --quiet --message "Release $release"
    git tag "$release"
done
git clone --quiet --bare "$work" "$1"

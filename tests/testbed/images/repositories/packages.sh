#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: packages.sh DEBS REPOSITORY. Makes a signed repository of Debian's packages under the names of Docker's.
set -eu
debs=$1
repository=$2
pool=dists/trixie/pool/stable/$(dpkg --print-architecture)
index=dists/trixie/stable/binary-$(dpkg --print-architecture)
mkdir -p "$repository/$pool" "$repository/$index"

# repack NAME VERSION DEPENDS CONFLICTS PACKAGE...: one package of the contents of others; the first one's scripts stay.
repack() {
    name=$1 version=$2 depends=$3 conflicts=$4
    shift 4
    rm -rf /tmp/tree
    for package in "$@"; do
        dpkg-deb --extract "$debs/${package}"_*.deb /tmp/tree
    done
    dpkg-deb --control "$debs/${1}"_*.deb /tmp/tree/DEBIAN
    rm -f /tmp/tree/DEBIAN/md5sums
    cat > /tmp/tree/DEBIAN/control <<CONTROL
Package: $name
Version: $version
Architecture: $(dpkg --print-architecture)
Maintainer: The test bed of selfhosted.lago <testbed@example.com>
Section: admin
Priority: optional
Depends: $depends
Conflicts: $conflicts
Replaces: $conflicts
Description: Debian's $*, packaged for tests under the name that Docker uses
CONTROL
    dpkg-deb --root-owner-group -Zzstd -z1 --build /tmp/tree \
        "$repository/$pool/${name}_${version#*:}_$(dpkg --print-architecture).deb" > /dev/null
}

for version in 28.5.1 28.5.2; do
    tail="5:$version-1~debian.13~trixie"
    repack docker-ce "$tail" "libc6, libsystemd0, adduser, iptables, tini, docker-ce-cli, containerd.io (>= 1.7.27)" \
        docker.io docker.io
    repack docker-ce-cli "$tail" libc6 docker-cli docker-cli
done
repack containerd.io 1.7.28-1~debian.13~trixie "libc6, libseccomp2" "containerd, runc" containerd runc
repack docker-buildx-plugin 0.29.1-1~debian.13~trixie libc6 docker-buildx docker-buildx
repack docker-compose-plugin 2.40.3-1~debian.13~trixie libc6 docker-compose docker-compose

cd "$repository"
apt-ftparchive packages "$pool" > "$index/Packages"
gzip --keep --no-name "$index/Packages"
apt-ftparchive -o APT::FTPArchive::Release::Origin=Docker -o "APT::FTPArchive::Release::Label=Docker CE" \
    -o APT::FTPArchive::Release::Suite=trixie -o APT::FTPArchive::Release::Codename=trixie \
    -o "APT::FTPArchive::Release::Architectures=$(dpkg --print-architecture)" \
    -o APT::FTPArchive::Release::Components=stable release dists/trixie > /tmp/Release
mv /tmp/Release dists/trixie/Release

# The key lives as long as this build: what it signed never changes afterwards.
GNUPGHOME=$(mktemp -d)
export GNUPGHOME
gpg --batch --quiet --passphrase '' --quick-generate-key 'Test bed of selfhosted.lago <testbed@example.com>' rsa3072 sign never
gpg --armor --export > gpg
gpg --batch --clearsign --output dists/trixie/InRelease dists/trixie/Release
gpg --batch --armor --detach-sign --output dists/trixie/Release.gpg dists/trixie/Release
gpgconf --kill all

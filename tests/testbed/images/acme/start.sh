#!/bin/sh
# Makes the certificate of Pebble's own HTTPS, for the container's address, and answers DNS.
set -e
key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
if [ ! -e ca.pem ]; then
    openssl req -x509 $key -days 30 -subj "/CN=Test bed ACME" -addext keyUsage=critical,keyCertSign -keyout ca.key -out ca.new
    openssl req $key -subj "/CN=pebble" -keyout key.pem -out request.pem
    printf 'subjectAltName=IP:%s\nauthorityKeyIdentifier=keyid\n' "$(hostname -i)" >extensions
    openssl x509 -req -in request.pem -CA ca.new -CAkey ca.key -days 30 -extfile extensions -out cert.pem
    mv ca.new ca.pem
fi
exec pebble-challtestsrv -dns01 :8053 -http01 "" -https01 "" -tlsalpn01 "" -management :8055 \
    -defaultIPv4 "" -defaultIPv6 ""

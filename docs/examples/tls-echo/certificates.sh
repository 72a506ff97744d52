#!/usr/bin/env bash
# certificates.sh DIRECTORY: an authority of one's own (ca.pem), a certificate
# for localhost and 127.0.0.1 that it has signed (server.pem, server.key), and
# another authority that has signed nothing (other.pem). For tests.
set -euo pipefail
cd "$1"

# authority NAME
authority() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -subj "/CN=$1 of a test" -days 2 -keyout "$1.key" -out "$1.pem" \
        -addext basicConstraints=critical,CA:TRUE
}

{
    authority ca
    authority other
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -subj /CN=localhost -keyout server.key -out server.csr
    echo 'subjectAltName=DNS:localhost,IP:127.0.0.1' >server.ext
    openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -days 2 \
        -set_serial 1 -extfile server.ext -out server.pem
} >openssl.log 2>&1 || {
    cat openssl.log >&2
    exit 1
}

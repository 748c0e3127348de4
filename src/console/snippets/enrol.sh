#!/usr/bin/env bash
# Needs bash, curl and openssl 3. Field-level encryption, because `openssl enc` has no AES-GCM.
set -euo pipefail
url='@BASE_URL@/issuers/users'
consumer_key='@CONSUMER_KEY@'
signing_key='@SIGNING_KEY@'
decryption_key='@DECRYPTION_KEY@'
gateway='@GATEWAY_CERTIFICATE@'
clear='@JSON@'

to_hex() { od -An -v -tx1 | tr -d ' \n'; }
from_hex() { printf '%b' "$(sed 's/../\\x&/g')"; }
oaep=(-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 -pkeyopt rsa_mgf1_md:sha256)

# Encrypt: the payload under a fresh key, that key to the gateway's certificate.
key=$(openssl rand -hex 16) iv=$(openssl rand -hex 16)
data=$(printf %s "$clear" | openssl enc -aes-128-cbc -K "$key" -iv "$iv" | to_hex)
wrapped=$(printf %s "$key" | from_hex | openssl pkeyutl -encrypt -certin -inkey "$gateway" "${oaep[@]}" | to_hex)
body="{\"encryptedData\":\"$data\",\"encryptedKey\":\"$wrapped\",\"iv\":\"$iv\",\"oaepHashingAlgorithm\":\"SHA256\"}"

# Sign: OAuth 1.0a with RSA-SHA256 over method, address, parameters and the hash of the body.
escape() { printf %s "$1" | sed 's/%/%25/g; s/+/%2B/g; s,/,%2F,g; s/=/%3D/g; s/&/%26/g; s/:/%3A/g; s/!/%21/g'; }
hash=$(printf %s "$body" | openssl dgst -sha256 -binary | openssl base64 -A)
nonce=$(openssl rand -hex 16) timestamp=$(date +%s)
parameters="oauth_body_hash=$(escape "$hash")&oauth_consumer_key=$(escape "$consumer_key")&oauth_nonce=$nonce"
parameters+="&oauth_signature_method=RSA-SHA256&oauth_timestamp=$timestamp&oauth_version=1.0"
base="POST&$(escape "$url")&$(escape "$parameters")"
signature=$(printf %s "$base" | openssl dgst -sha256 -sign "$signing_key" | openssl base64 -A)
header=$(printf %s "$parameters&oauth_signature=$(escape "$signature")" | sed 's/=/="/g; s/&/",/g')

answer=$(curl -sS "$url" -H "Authorization: OAuth $header\"" -H 'Content-Type: application/json' -d "$body")

# Open the answer, if it is encrypted.
member() { printf %s "$answer" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
if [ -z "$(member encryptedData)" ]; then
  printf '%s\n' "$answer"
else
  key=$(member encryptedKey | from_hex | openssl pkeyutl -decrypt -inkey "$decryption_key" "${oaep[@]}" | to_hex)
  member encryptedData | from_hex | openssl enc -d -aes-128-cbc -K "$key" -iv "$(member iv)"
  echo
fi

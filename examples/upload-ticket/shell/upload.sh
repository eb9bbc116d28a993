#!/bin/sh
# Signs a ticket and uploads a file with it, by openssl and curl. In an application, your server signs the ticket, and a
# browser or a device uploads with it. openssl gets the secret as an argument, which other users of this machine can see.
#
#     sh examples/upload-ticket/shell/upload.sh http://127.0.0.1:8080 PROFILE icu_… FILE
set -eu

end() {
  echo "$1" >&2
  exit 1
}

case "${3-}" in
icu_*) ;;
*) end "usage: upload.sh URL PROFILE icu_… FILE (the profile's upload secret)" ;;
esac
[ $# -eq 4 ] || end "usage: upload.sh URL PROFILE icu_… FILE (the profile's upload secret)"
url=${1%/} profile=$2 secret=$3 file=$4
case "$url" in
http://?* | https://?*) ;;
*) end "$url is not a URL such as http://127.0.0.1:8080" ;;
esac
[ -r "$file" ] || end "Cannot read $file"

# The ticket's JSON as base64url without padding. It is valid for ten minutes, at most seven days; one ticket makes one
# upload.
claims=$(printf '{"profile":"%s","expires":%d,"nonce":"%s"}' "$profile" $(($(date +%s) + 600)) "$(openssl rand -hex 16)")
info=$(printf %s "$claims" | openssl base64 -A | tr '+/' '-_' | tr -d '=')

# The HMAC-SHA256 of that text in lower-case hexadecimal digits. The key is the whole text of the secret.
signature=$(printf %s "$info" | openssl dgst -sha256 -hmac "$secret" -r | cut -d ' ' -f 1)

name=$(printf %s "$file" | sed 's/["\\]/\\&/g') # as curl reads a quoted name
answer=$(curl -s -w '\n%{http_code}' -H "itemcast-upload-info: $info" -H "itemcast-upload-signature: $signature" \
  -F "file=@\"$name\"" "$url/api/v1/uploads") || end "$url cannot be reached"
status=$(printf %s "$answer" | tail -n 1)
body=$(printf %s "$answer" | sed '$d')
if [ "$status" != 201 ]; then
  detail=$(printf %s "$body" | sed -n 's/.*"detail":"\([^"]*\)".*/\1/p')
  end "$url answers $status: ${detail:-is this the URL of an Itemcast server?}"
fi
printf '%s\n' "$body"

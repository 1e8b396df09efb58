#!/usr/bin/env bash
# Five steps: start Postern, register, sign in, add a client, list what has changed.
#
#     example.bash [DIRECTORY]        stores the accounts in DIRECTORY, or else in a temporary directory
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
export POSTERN_BIN=${POSTERN_BIN:-$here/../../.build/release/postern}
# shellcheck source=postern.bash
source "$here/postern.bash"

if (($#)); then
    data=$1
else
    data=$(mktemp -d)
    trap 'postern_close; rm -r "$data"' EXIT
fi
declare -A operator client changed
postern_open --data "$data" --no-email-confirmation

postern -A operator operators.register user.first_name=Luke user.last_name=Sorenson user.email=lasoren@bu.edu \
    password='a long password'
echo "registered ${operator[user.first_name]} ${operator[user.last_name]}"

postern -q operators.signin email=lasoren@bu.edu password='a wrong password' ||
    echo "$POSTERN_ERROR_SLUG: $POSTERN_ERROR_MESSAGE"
postern -A operator operators.signin email=lasoren@bu.edu password='a long password'
echo "signed in as operator ${operator[id]}"

session=(user_id="${operator[id]}" session_id="${operator[session_id]}")
postern -A client operators.client.create "${session[@]}" client.user.first_name=Mary client.user.last_name=Major \
    client.user.email=mary@example.com client.address='12 Grimmauld Place, London'
echo "created ${client[user.first_name]} ${client[user.last_name]}"

postern -A changed operators.clients.get "${session[@]}" provision=0
echo "${changed[clients]} client, next provision ${changed[provision]}"

postern_close

# shellcheck shell=bash
# Runs the script that includes this file in a namespace of its own, for mounts and processes: however it ends, it leaves
# neither behind. A signal to unshare(1) would wait for the end of the script, so the namespace is killed.
if [ "${POSTERN_NAMESPACE:-}" != mine ]; then
    POSTERN_NAMESPACE=mine unshare --mount --pid --fork --kill-child "$0" "$@" &
    namespace=$!
    trap 'kill -KILL $namespace 2>/dev/null || true' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    wait $namespace || exit
    exit
fi

#!/bin/sh
# with_jack.sh COMMAND...: run COMMAND beside a private JACK server on the dummy driver; exit with COMMAND's code.
# Needs jackd. A mount namespace of its own (where allowed) keeps other JACK servers of the machine away.
# The period (JACK_PERIOD, in frames) is long, so that a busy machine misses few: a missed one may lose notes.
set -u
if [ -z "${CONTINUO_JACK_NAMESPACE:-}" ] && unshare -m true 2>/dev/null; then
    export CONTINUO_JACK_NAMESPACE=1
    exec unshare -m sh -c 'mount -t tmpfs -o size=256m tmpfs /dev/shm && exec sh "$0" "$@"' "$0" "$@"
fi
name="continuo$$"
log="${TMPDIR:-/tmp}/jackd-$name.log"
export JACK_NO_AUDIO_RESERVATION=1 JACK_NO_START_SERVER=1 JACK_DEFAULT_SERVER="$name"
realtime="-R -P 70"
chrt -f 70 true 2>/dev/null || realtime="--no-realtime"
# shellcheck disable=SC2086 # two words on purpose
jackd $realtime --name "$name" --port-max 256 -d dummy -r 48000 -p "${JACK_PERIOD:-1024}" >"$log" 2>&1 &
server=$!
tries=0
until jack_lsp >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -gt 100 ]; then
        cat "$log" >&2
        kill "$server" 2>/dev/null
        exit 97
    fi
    sleep 0.1
done
export CONTINUO_JACK_LOG="$log" CONTINUO_JACK_REALTIME="$realtime"
"$@"
code=$?
kill "$server" 2>/dev/null
(sleep 5 && kill -9 "$server") 2>/dev/null &
killer=$!
wait "$server" 2>/dev/null
kill "$killer" 2>/dev/null
rm -f /dev/shm/jack_sem.*_"$name"_* /dev/shm/jack_"$name"_*
echo "jackd: $(grep -c XRun "$log") xruns" >&2
rm -f "$log"
exit "$code"

#!/bin/sh
# A million trials over Redis with one worker: kill the coordinator, start it
# again, and time what an operator asks. Prints memory, bytes per record and
# seconds. Usage: bench/cluster/million.sh BINARY
set -u
B=$(realpath "$1")
D=$(mktemp -d)
redis-server --bind 127.0.0.1 --port 6377 --dir $D/redis --appendonly yes --save "" --maxmemory-policy noeviction --daemonize yes --logfile $D/redis/log >/dev/null
sleep 0.5
export OVERNIGHT_CLUSTER=redis://127.0.0.1:6377 OVERNIGHT_KEYS=$D/keys
cat > million.yaml <<'Y'
study: million
env: {name: function, function: sphere, noise: 1, x1: {grid: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]}, x2: {grid: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]}, x3: {grid: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]}}
agents: [{name: random}]
replications: 1000
Y
before=$(redis-cli -p 6377 info memory | grep ^used_memory: | tr -d '\r' | cut -d: -f2)
$B run million.yaml --slots 0 > run.log 2>&1 &
R=$!
sleep 1
$B worker --slots 2 --in-process > w.log 2>&1 &
W=$!
sleep 1.6
kill -9 $R; kill $W; wait $W 2>/dev/null
sleep 11
c0=$($B status million --format json | grep '"committed"' | tr -dc 0-9); echo "committed before: $c0"
$B worker --slots 2 --in-process > w2.log 2>&1 &
W=$!
sleep 1
s=$(date +%s.%N)
/usr/bin/time -v $B run million.yaml --slots 0 > run2.log 2> time2.log &
n=0
while [ $n -lt 300 ]; do c=$($B status million --format json | grep '"committed"' | tr -dc 0-9); [ "$c" -gt "$c0" ] && break; n=$((n+1)); done
e=$(date +%s.%N); echo "resume to first new commit: $(echo "$e - $s" | bc) s"
n=0; while [ $n -lt 600 ] && ! grep -q ^digest run2.log; do sleep 0.1; n=$((n+1)); done
sleep 0.3
grep -E "Maximum resident|Elapsed" time2.log
grep ^digest run2.log
after=$(redis-cli -p 6377 info memory | grep ^used_memory: | tr -d '\r' | cut -d: -f2)
echo "redis bytes per record: $(echo "($after - $before)/1000000" | bc)"
for i in 1 2 3; do s=$(date +%s.%N); $B status million > /dev/null; e=$(date +%s.%N); echo "status: $(echo "$e - $s" | bc)"; done
for i in 1 2 3; do s=$(date +%s.%N); $B results million --top 20 > top.txt; e=$(date +%s.%N); echo "top 20: $(echo "$e - $s" | bc)"; done
head -3 top.txt
for i in 1 2 3; do s=$(date +%s.%N); $B export million > out.csv; e=$(date +%s.%N); echo "export 1M rows: $(echo "$e - $s" | bc) s"; done
kill $W
redis-cli -p 6377 shutdown nosave
cd / && rm -rf "$D"

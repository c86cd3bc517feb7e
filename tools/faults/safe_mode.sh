# A crash loop under a real systemd, for tools/faults/booted, from a good run to safe mode and out of it by a reload.
# Takes about seven minutes: T=600 sudo -E tools/faults/booted ROOT tools/faults/safe_mode.sh
edge=/opt/edge/bin/edge
status() { systemctl show -p StatusText --value edge; }
write() { # $1 = the camera's name
  printf 'device: gate\nbroker: {host: 127.0.0.1, port: 1883}\ncameras: {%s: {source: synthetic, loop: true}}\n' "$1" > /etc/edge/edge.yaml
}
until_active() {
  for _ in $(seq 900); do
    [ "$(systemctl show -p NRestarts --value edge)" -gt "$1" ] && [ "$(systemctl is-active edge)" = active ] && return
    sleep 0.1
  done
}
mkdir -p /etc/edge /etc/mosquitto/conf.d
printf 'listener 1883 127.0.0.1\nallow_anonymous true\n' > /etc/mosquitto/conf.d/here.conf
systemctl restart mosquitto
write old
$edge install --program $edge > /dev/null 2>&1
systemctl start edge && echo "a good run begins: $(status)"
sleep 310
echo "kept: $(find /var/lib/private/edge /var/lib/edge/ -name 'last-good.json' 2>/dev/null | head -1)"
write new
systemctl restart edge && echo "a new file: $(status)"
for _ in 1 2 3 4 5; do
  before=$(systemctl show -p NRestarts --value edge)
  kill -KILL "$(systemctl show -p MainPID --value edge)"
  until_active "$before"
done
sleep 5 # for a health of this start
echo "after five kills: $(status)"
echo "health: $(timeout 20 mosquitto_sub -h 127.0.0.1 -t edge/gate/health -C 1 | grep -o '"reasons":\[[^]]*\]')"
systemctl reload edge; sleep 5
echo "reloaded with the same file: $(status)"
write mended
systemctl reload edge; sleep 10
echo "reloaded with a mended file: $(status)"
echo "main is the same: $(systemctl show -p NRestarts --value edge) restarts"
echo "health: $(timeout 20 mosquitto_sub -h 127.0.0.1 -t edge/gate/health -C 1 | grep -o '"reasons":\[[^]]*\]')"
systemctl stop edge

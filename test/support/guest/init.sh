#!/bin/sh
# Process 1 of a guest kernel whose root is the host's file system, read-only. Lays a memory over it, so that writes are
# the guest's own, loads what is asked for on demand, and runs the file "command" in GUEST_RUN.
# GUEST_RUN, GUEST_MODULES and GUEST_PORT come from the kernel's command line.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
release=$(uname -r)
mount -t proc proc /proc
mount -t tmpfs -o size=75% tmpfs /mnt
mkdir -p /mnt/modules/lib/modules /mnt/upper /mnt/work /mnt/root
ln -s "$GUEST_MODULES" "/mnt/modules/lib/modules/$release"
modprobe -d /mnt/modules -a overlay tun
mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work overlay /mnt/root
cd /mnt/root || exit 1
mkdir -p lib/modules mnt/host
ln -sfn "$GUEST_MODULES" "lib/modules/$release"
mount -t devtmpfs dev dev
mkdir -p dev/pts dev/shm
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t devpts devpts dev/pts
mount -t tmpfs shm dev/shm
mount -t tmpfs run run
pivot_root . mnt/host
cd /
umount -l /mnt/host
# The names of QEMU's ports are in sysfs; user-mode Linux has its own from the start.
for port in /sys/class/virtio-ports/*; do
  [ -e "$port/name" ] && ln -s "${port##*/}" "/dev/guest$(cat "$port/name")"
done
[ "$GUEST_PORT" = ttyS ] && for i in 0 1 2; do
  ln -s "ttyS$i" "/dev/guest$i"
  stty -F "/dev/ttyS$i" raw -echo
done
ip link set lo up
modprobe fou 2>/dev/null
sh "$GUEST_RUN/command" </dev/null >/dev/guest0 2>/dev/guest1
echo $? >/dev/guest2
# What was written is on its way.
sync
echo o >/proc/sysrq-trigger
while :; do sleep 1; done

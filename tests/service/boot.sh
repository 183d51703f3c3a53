#!/bin/bash
# Boots systemd on a copy of this machine's files that nobody else sees and that is gone with it, and runs SCRIPT in it
# as a unit. To be started by: unshare -fpmiuCn --propagation private bash boot.sh FOLDER SCRIPT
set -e
ip link set lo up
folder=$1
mount -t tmpfs tmpfs "$folder"
mkdir "$folder"/{upper,work,root}
root=$folder/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/upper,workdir=$folder/work" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/sys/fs/cgroup"
mkdir "$root"/sys/fs/cgroup/{systemd,unified}
mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/systemd"
: >"$root/etc/fstab"
rm -rf "${root:?}"/etc/systemd/system/*
units=$root/etc/systemd/system
mkdir -p "$units/small.target.wants"
printf '[Unit]\nRequires=dbus.service\nAfter=dbus.service\n' >"$units/small.target"
ln -s ../inside.service "$units/small.target.wants/"
cat >"$units/inside.service" <<E
[Unit]
After=dbus.service
[Service]
Type=oneshot
ExecStart=/bin/bash /srv/inside.sh
StandardOutput=append:/srv/inside.log
StandardError=append:/srv/inside.log
E
cp "$2" "$root/srv/inside.sh"
cd "$root"
mkdir -p old
pivot_root . old
exec env -i container=other "PATH=$PATH" chroot . /bin/bash -c 'umount -l /old; exec "$@"' boot \
    /lib/systemd/systemd --system --unit=small.target --log-target=console --log-level=warning

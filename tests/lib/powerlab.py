"""A trial.Lab whose Maildir and state lie on file systems that lose their power.

A disk is a file behind a loop device. cut_power() stops its file system where
it is: nothing that is not on the device by then gets there any more
(FS_IOC_SHUTDOWN without flushing the log), not even at the unmount that
follows. restore() gives it the bytes of the beginning again.

Root only, and in a mount namespace of its own (unshare -m): then nothing is
left behind, however the program ends. Loop devices let go by themselves.
"""

import ctypes
import fcntl
import os
import struct
import subprocess

import trial

LOOP_CTL_GET_FREE = 0x4C82
LOOP_CONFIGURE = 0x4C0A
LO_FLAGS_AUTOCLEAR = 4
BLKFLSBUF = 0x1261
FS_IOC_SHUTDOWN = 0x8004587D
NO_LOG_FLUSH = 2
BLOCK = 65536
MIB = 1 << 20

# Size of the disk, how it is made, how it is mounted. commit=300: the kernel
# shall write nothing on its own account while a trial lasts.
KINDS = {
    "ext4": (24, "mkfs.ext4 -q -F -J size=4 -E lazy_itable_init=0",
             "commit=300"),
    "ext4-journal": (24, "mkfs.ext4 -q -F -J size=4 -E lazy_itable_init=0",
                     "commit=300,data=journal"),
    "ext4-writeback": (24, "mkfs.ext4 -q -F -J size=4 -E lazy_itable_init=0",
                       "commit=300,data=writeback"),
    "xfs": (300, "mkfs.xfs -q -f", ""),
}

libc = ctypes.CDLL(None, use_errno=True)


def check(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, "%s: %s" % (what, os.strerror(number)))


class Disk:
    """A file system of @kind, mounted at @place."""

    def __init__(self, kind, place):
        self.type = kind.split("-")[0]
        size, make, self.options = KINDS[kind]
        self.size, self.place = size * MIB, place
        os.makedirs(place, exist_ok=True)
        self.file = os.open(place + ".disk", os.O_RDWR | os.O_CREAT | os.O_TRUNC
                            | os.O_CLOEXEC, 0o600)
        os.ftruncate(self.file, self.size)
        self._attach()
        subprocess.run(make.split() + [self.path], check=True)
        self.mounted = False
        self.first = {}
        self.mount()

    def _attach(self):
        """With LO_FLAGS_AUTOCLEAR, as struct loop_config wants it."""
        control = os.open("/dev/loop-control", os.O_RDWR | os.O_CLOEXEC)
        try:
            for _ in range(100):
                self.path = "/dev/loop%d" % fcntl.ioctl(control,
                                                        LOOP_CTL_GET_FREE)
                self.loop = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
                info = bytearray(232)
                struct.pack_into("=I", info, 52, LO_FLAGS_AUTOCLEAR)
                try:
                    fcntl.ioctl(self.loop, LOOP_CONFIGURE, struct.pack(
                        "=II", self.file, 0) + bytes(info) + bytes(64))
                    return
                except OSError:
                    os.close(self.loop)  # somebody else was faster
        finally:
            os.close(control)
        raise OSError("no free loop device")

    def mount(self):
        check(libc.mount(self.path.encode(), self.place.encode(),
                         self.type.encode(), 0, self.options.encode()),
              "mount " + self.path)
        self.mounted = True

    def unmount(self):
        if self.mounted:
            check(libc.umount2(self.place.encode(), 0), "umount " + self.place)
        self.mounted = False

    def cut_power(self):
        place = os.open(self.place, os.O_RDONLY | os.O_CLOEXEC)
        fcntl.ioctl(place, FS_IOC_SHUTDOWN, struct.pack("=I", NO_LOG_FLUSH))
        os.close(place)

    def mend(self):
        """What a system does as it starts. Stopped in this way, ext4 may leave a
        bitmap whose checksum is wrong, which a real power cut does not: its
        journal has both or neither."""
        if self.type == "ext4":
            code = subprocess.run(["e2fsck", "-f", "-p", self.path],
                                  stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL,
                                  check=False).returncode
            if code > 2:
                raise OSError("e2fsck %s: %d" % (self.path, code))

    def keep(self):
        """This is what restore() goes back to."""
        self.unmount()
        os.fsync(self.loop)
        self.first = {}
        at = 0
        while at < self.size:
            try:
                at = os.lseek(self.file, at, os.SEEK_DATA)
            except OSError:
                break
            at -= at % BLOCK
            block = os.pread(self.file, BLOCK, at)
            if block.count(0) != len(block):
                self.first[at] = block
            at += BLOCK
        self.mount()

    def restore(self):
        self.unmount()
        fcntl.ioctl(self.loop, BLKFLSBUF)  # or it is written over the rest
        os.ftruncate(self.file, 0)
        os.ftruncate(self.file, self.size)
        for at, block in self.first.items():
            os.pwrite(self.file, block, at)
        fcntl.ioctl(self.loop, BLKFLSBUF)
        self.mount()

    def close(self):
        self.unmount()
        os.close(self.loop)
        os.close(self.file)
        os.unlink(self.place + ".disk")


class PowerLab(trial.Lab):
    """@mail, @state: the kinds of the disks that the Maildir and the state lie
    on; "same": it is the other one's; "safe": it is on none."""

    def __init__(self, server, work, mail, state, mailtwin=None):
        super().__init__(server, work, mailtwin)
        self.disks = []
        mail_place = self._place("mail", mail)
        state_place = self._place("state", state)
        self.disk = os.path.join(mail_place or state_place, "disk")
        self.state = os.path.join(state_place or mail_place, "state")

    def _place(self, name, kind):
        place = os.path.join(self.work, name)
        if kind == "same":
            return None
        if kind == "safe":
            os.makedirs(place, exist_ok=True)
        else:
            self.disks.append(Disk(kind, place))
        return place

    def _keep(self):
        super()._keep()
        for disk in self.disks:
            disk.keep()

    def _is_safe(self, path):
        return not any(path.startswith(disk.place + "/")
                       for disk in self.disks)

    def reset(self):
        for disk in self.disks:
            disk.restore()
        if self._is_safe(self.disk) and not self._put_back_disk():
            self._make()
            self._keep()
            return
        self._put_back_homes()
        if self._is_safe(self.state):
            trial.remove(self.state)
            trial.copy(self._template("state"), self.state)

    def cut_power(self):
        for disk in self.disks:
            disk.cut_power()

    def power_on(self):
        for disk in self.disks:
            disk.unmount()
            disk.mend()
            disk.mount()

    def close(self):
        for disk in self.disks:
            disk.close()

// Generated from the commands by `node scripts/docs.ts`; do not edit.
import type { Limits } from "../limits.ts";
import type { RunOptions } from "../run-options.ts";
import type { JobResult } from "../../job/types.ts";
import type { CommandValue } from "../values.ts";
import type { CommandArguments } from "./arguments.ts";

/**
 * Every command of the node as a method. One that returns a value rejects with a `JobError` when its job
 * fails; one that runs a program or ends the node returns the result of its job whatever its state.
 */
export interface CommandMethods {
  readonly aggregator: {
    /** Shows what the statistics of jobs and node add up to. */
    query(args?: CommandArguments["aggregator.query"], limits?: Limits): Promise<CommandValue<"aggregator.query">>;
  };
  /** Runs a script with the shell of the node.. */
  bash(args?: CommandArguments["bash"], options?: RunOptions): Promise<JobResult>;
  readonly boot: {
    /** Shows how the machine booted: every phase with its state, times, attempts and reason. */
    status(limits?: Limits): Promise<CommandValue<"boot.status">>;
  };
  readonly bridge: {
    /** Older name of bridge.host-add. */
    addHost(args: CommandArguments["bridge.add_host"], limits?: Limits): Promise<CommandValue<"bridge.add_host">>;
    /** Creates a bridge with address, name server, DHCP and NAT, or nothing at all. */
    create(args: CommandArguments["bridge.create"], limits?: Limits): Promise<CommandValue<"bridge.create">>;
    /** Deletes a bridge with its name server, its NAT and its packet filter rules. */
    delete(args: CommandArguments["bridge.delete"], limits?: Limits): Promise<CommandValue<"bridge.delete">>;
    /** Keeps an address for one DHCP client of a bridge. */
    hostAdd(args: CommandArguments["bridge.host-add"], limits?: Limits): Promise<CommandValue<"bridge.host-add">>;
    /** Lists the names of all bridges. */
    list(limits?: Limits): Promise<CommandValue<"bridge.list">>;
    /** Attaches a link to a bridge. */
    nicAdd(args: CommandArguments["bridge.nic-add"], limits?: Limits): Promise<CommandValue<"bridge.nic-add">>;
    /** Lists the links attached to a bridge. */
    nicList(args: CommandArguments["bridge.nic-list"], limits?: Limits): Promise<CommandValue<"bridge.nic-list">>;
    /** Detaches a link from whatever it is attached to. */
    nicRemove(args: CommandArguments["bridge.nic-remove"], limits?: Limits): Promise<CommandValue<"bridge.nic-remove">>;
  };
  readonly btrfs: {
    /** Creates a btrfs file system on devices that are not in use. */
    create(args?: CommandArguments["btrfs.create"], limits?: Limits): Promise<CommandValue<"btrfs.create">>;
    /** Adds devices that are not in use to a mounted file system. */
    deviceAdd(args: CommandArguments["btrfs.device_add"], limits?: Limits): Promise<CommandValue<"btrfs.device_add">>;
    /** Removes devices from a mounted file system when their data has moved. */
    deviceRemove(args: CommandArguments["btrfs.device_remove"], limits?: Limits): Promise<CommandValue<"btrfs.device_remove">>;
    /** Describes a mounted btrfs file system and the use of its space. */
    info(args: CommandArguments["btrfs.info"], limits?: Limits): Promise<CommandValue<"btrfs.info">>;
    /** Lists the btrfs file systems of all disks. */
    list(limits?: Limits): Promise<CommandValue<"btrfs.list">>;
    /** Creates a subvolume. */
    subvolCreate(args: CommandArguments["btrfs.subvol_create"], limits?: Limits): Promise<CommandValue<"btrfs.subvol_create">>;
    /** Deletes a subvolume. */
    subvolDelete(args: CommandArguments["btrfs.subvol_delete"], limits?: Limits): Promise<CommandValue<"btrfs.subvol_delete">>;
    /** Lists the subvolumes below a path with their quota. */
    subvolList(args: CommandArguments["btrfs.subvol_list"], limits?: Limits): Promise<CommandValue<"btrfs.subvol_list">>;
    /** Limits the bytes a subvolume may hold. */
    subvolQuota(args: CommandArguments["btrfs.subvol_quota"], limits?: Limits): Promise<CommandValue<"btrfs.subvol_quota">>;
    /** Takes a snapshot of a subvolume. */
    subvolSnapshot(args: CommandArguments["btrfs.subvol_snapshot"], limits?: Limits): Promise<CommandValue<"btrfs.subvol_snapshot">>;
  };
  readonly cgroup: {
    readonly cpuset: {
      /** Sets processors and memory nodes of a named cpuset cgroup, and shows them. */
      spec(args?: CommandArguments["cgroup.cpuset.spec"], limits?: Limits): Promise<CommandValue<"cgroup.cpuset.spec">>;
    };
    /** Creates a named cgroup without limits where there is none of that name. */
    ensure(args?: CommandArguments["cgroup.ensure"], limits?: Limits): Promise<CommandValue<"cgroup.ensure">>;
    /** Lists the named cgroups by subsystem. */
    list(limits?: Limits): Promise<CommandValue<"cgroup.list">>;
    readonly memory: {
      /** Sets the limits of a named memory cgroup when mem is not 0, and shows them. */
      spec(args?: CommandArguments["cgroup.memory.spec"], limits?: Limits): Promise<CommandValue<"cgroup.memory.spec">>;
    };
    /** Moves the processes of a named cgroup to the root group and removes it. */
    remove(args?: CommandArguments["cgroup.remove"], limits?: Limits): Promise<CommandValue<"cgroup.remove">>;
    /** Takes the limits of a named cgroup away: memory unlimited, processors as in the root group. */
    reset(args?: CommandArguments["cgroup.reset"], limits?: Limits): Promise<CommandValue<"cgroup.reset">>;
    /** Moves a process into a named cgroup; it leaves the one it was in. */
    taskAdd(args?: CommandArguments["cgroup.task-add"], limits?: Limits): Promise<CommandValue<"cgroup.task-add">>;
    /** Moves a process to the root group, whichever group it is in. */
    taskRemove(args?: CommandArguments["cgroup.task-remove"], limits?: Limits): Promise<CommandValue<"cgroup.task-remove">>;
    /** Lists the processes in a named cgroup. */
    tasks(args?: CommandArguments["cgroup.tasks"], limits?: Limits): Promise<CommandValue<"cgroup.tasks">>;
  };
  readonly config: {
    /** Shows the main configuration of the node. */
    get(limits?: Limits): Promise<CommandValue<"config.get">>;
  };
  readonly core: {
    /** Answers, and says which version of the agent does.. */
    ping(limits?: Limits): Promise<CommandValue<"core.ping">>;
    /** Stops all processes in order and switches the machine off. */
    poweroff(options?: RunOptions): Promise<JobResult>;
    /** Stops all processes in order and reboots the machine. */
    reboot(options?: RunOptions): Promise<JobResult>;
    /** Takes a newer private configuration: password of the endpoint, keys of ssh, network. */
    reload(limits?: Limits): Promise<CommandValue<"core.reload">>;
    /** Sums up what the agent and all running jobs use. */
    state(limits?: Limits): Promise<CommandValue<"core.state">>;
    /** Copies the messages of another job into this job until that job ends.. */
    subscribe(args?: CommandArguments["core.subscribe"], options?: RunOptions): Promise<JobResult>;
    /** Runs one program without a shell and captures its output.. */
    system(args?: CommandArguments["core.system"], options?: RunOptions): Promise<JobResult>;
  };
  readonly disk: {
    /** Describes one disk or one partition. */
    getinfo(args: CommandArguments["disk.getinfo"], limits?: Limits): Promise<CommandValue<"disk.getinfo">>;
    /** Tells whether a drive is in standby. */
    isstandby(args: CommandArguments["disk.isstandby"], limits?: Limits): Promise<CommandValue<"disk.isstandby">>;
    /** Lists disks with their partitions, partition table and free areas. */
    list(limits?: Limits): Promise<CommandValue<"disk.list">>;
    /** Creates a partition on a disk that is not in use. */
    mkpart(args?: CommandArguments["disk.mkpart"], options?: RunOptions): Promise<JobResult>;
    /** Writes an empty partition table to a disk that is not in use. */
    mktable(args?: CommandArguments["disk.mktable"], options?: RunOptions): Promise<JobResult>;
    /** Mounts a device on a directory. */
    mount(args?: CommandArguments["disk.mount"], options?: RunOptions): Promise<JobResult>;
    /** Shows the mount table by device. */
    mounts(limits?: Limits): Promise<CommandValue<"disk.mounts">>;
    /** Makes the partition with a UUID and its disk read-only until the machine starts again. */
    protect(args?: CommandArguments["disk.protect"], limits?: Limits): Promise<CommandValue<"disk.protect">>;
    /** Deletes a partition of a disk that is not in use. */
    rmpart(args?: CommandArguments["disk.rmpart"], options?: RunOptions): Promise<JobResult>;
    /** Measures random reads to tell flash from disks that turn. */
    seektime(args: CommandArguments["disk.seektime"], limits?: Limits): Promise<CommandValue<"disk.seektime">>;
    /** Asks a drive for its verdict on its own health. */
    smartctlHealth(args: CommandArguments["disk.smartctl-health"], limits?: Limits): Promise<CommandValue<"disk.smartctl-health">>;
    /** Reads what a drive says about itself. */
    smartctlInfo(args: CommandArguments["disk.smartctl-info"], limits?: Limits): Promise<CommandValue<"disk.smartctl-info">>;
    /** Sets after which time without use a drive stops turning. */
    spindown(args: CommandArguments["disk.spindown"], limits?: Limits): Promise<CommandValue<"disk.spindown">>;
    /** Unmounts a disk. */
    umount(args?: CommandArguments["disk.umount"], options?: RunOptions): Promise<JobResult>;
  };
  readonly filesystem: {
    /** Changes permission bits. */
    chmod(args?: CommandArguments["filesystem.chmod"], limits?: Limits): Promise<CommandValue<"filesystem.chmod">>;
    /** Changes owner and group by their names. */
    chown(args?: CommandArguments["filesystem.chown"], limits?: Limits): Promise<CommandValue<"filesystem.chown">>;
    /** Closes a descriptor; an unknown one is fine. */
    close(args?: CommandArguments["filesystem.close"], limits?: Limits): Promise<CommandValue<"filesystem.close">>;
    /** Tells whether a path exists; links are followed. */
    exists(args?: CommandArguments["filesystem.exists"], limits?: Limits): Promise<CommandValue<"filesystem.exists">>;
    /** Lists the entries of a directory by name. */
    list(args?: CommandArguments["filesystem.list"], limits?: Limits): Promise<CommandValue<"filesystem.list">>;
    /** Creates a directory and its missing parents with mode 0755. */
    mkdir(args?: CommandArguments["filesystem.mkdir"], limits?: Limits): Promise<CommandValue<"filesystem.mkdir">>;
    /** Renames within one file system. */
    move(args?: CommandArguments["filesystem.move"], limits?: Limits): Promise<CommandValue<"filesystem.move">>;
    /** Opens a file and returns a descriptor, which is closed after 5 minutes without use. */
    open(args?: CommandArguments["filesystem.open"], limits?: Limits): Promise<CommandValue<"filesystem.open">>;
    /** Reads the next block of at most 512 KiB. */
    read(args?: CommandArguments["filesystem.read"], limits?: Limits): Promise<CommandValue<"filesystem.read">>;
    /** Removes a file or a whole tree; a missing one is fine. */
    remove(args?: CommandArguments["filesystem.remove"], limits?: Limits): Promise<CommandValue<"filesystem.remove">>;
    /** Writes a block at the current position. */
    write(args?: CommandArguments["filesystem.write"], limits?: Limits): Promise<CommandValue<"filesystem.write">>;
  };
  readonly info: {
    /** Lists the logical CPUs as the kernel describes them. */
    cpu(limits?: Limits): Promise<CommandValue<"info.cpu">>;
    /** Lists the mounted file systems that live on a device. */
    disk(limits?: Limits): Promise<CommandValue<"info.disk">>;
    /** Decodes the tables in which the firmware describes the hardware. */
    dmi(args?: CommandArguments["info.dmi"], limits?: Limits): Promise<CommandValue<"info.dmi">>;
    /** Shows the memory counters of the machine. */
    mem(limits?: Limits): Promise<CommandValue<"info.mem">>;
    /** Lists all network links with their addresses, by kernel index. */
    nic(limits?: Limits): Promise<CommandValue<"info.nic">>;
    /** Identifies the machine and its system. */
    os(limits?: Limits): Promise<CommandValue<"info.os">>;
    /** Lists the sockets that others can reach, with the process that holds each. */
    port(limits?: Limits): Promise<CommandValue<"info.port">>;
    /** Identifies the build of the agent. */
    version(limits?: Limits): Promise<CommandValue<"info.version">>;
  };
  readonly ip: {
    readonly addr: {
      /** Adds an address to a link. */
      add(args: CommandArguments["ip.addr.add"], limits?: Limits): Promise<CommandValue<"ip.addr.add">>;
      /** Removes an address from a link. */
      del(args: CommandArguments["ip.addr.del"], limits?: Limits): Promise<CommandValue<"ip.addr.del">>;
      /** Lists the addresses of a link, IPv4 first. */
      list(args: CommandArguments["ip.addr.list"], limits?: Limits): Promise<CommandValue<"ip.addr.list">>;
    };
    readonly bond: {
      /** Creates a round-robin bond of links and brings it up. */
      add(args: CommandArguments["ip.bond.add"], limits?: Limits): Promise<CommandValue<"ip.bond.add">>;
      /** Deletes a bond; its kind is not checked. */
      del(args: CommandArguments["ip.bond.del"], limits?: Limits): Promise<CommandValue<"ip.bond.del">>;
      /** Shows the status of all bonds in the words of the kernel. */
      list(limits?: Limits): Promise<CommandValue<"ip.bond.list">>;
    };
    readonly bridge: {
      /** Creates a bridge, which stays down. */
      add(args: CommandArguments["ip.bridge.add"], limits?: Limits): Promise<CommandValue<"ip.bridge.add">>;
      /** Attaches a link to a bridge. */
      addif(args: CommandArguments["ip.bridge.addif"], limits?: Limits): Promise<CommandValue<"ip.bridge.addif">>;
      /** Deletes a bridge. */
      del(args: CommandArguments["ip.bridge.del"], limits?: Limits): Promise<CommandValue<"ip.bridge.del">>;
      /** Detaches a link from a bridge. */
      delif(args: CommandArguments["ip.bridge.delif"], limits?: Limits): Promise<CommandValue<"ip.bridge.delif">>;
    };
    readonly link: {
      /** Brings a link down. */
      down(args: CommandArguments["ip.link.down"], limits?: Limits): Promise<CommandValue<"ip.link.down">>;
      /** Lists all links by index. */
      list(limits?: Limits): Promise<CommandValue<"ip.link.list">>;
      /** Sets the MTU of a link. */
      mtu(args: CommandArguments["ip.link.mtu"], limits?: Limits): Promise<CommandValue<"ip.link.mtu">>;
      /** Renames a link; some drivers and older kernels want it down for that. */
      name(args: CommandArguments["ip.link.name"], limits?: Limits): Promise<CommandValue<"ip.link.name">>;
      /** Brings a link up. */
      up(args: CommandArguments["ip.link.up"], limits?: Limits): Promise<CommandValue<"ip.link.up">>;
    };
    readonly route: {
      /** Adds a route to the main table. */
      add(args: CommandArguments["ip.route.add"], limits?: Limits): Promise<CommandValue<"ip.route.add">>;
      /** Deletes the one route of the main table that matches all given fields. */
      del(args: CommandArguments["ip.route.del"], limits?: Limits): Promise<CommandValue<"ip.route.del">>;
      /** Lists the unicast routes of the main table, IPv4 and IPv6. */
      list(limits?: Limits): Promise<CommandValue<"ip.route.list">>;
    };
  };
  readonly job: {
    /** Delivers a signal to a job.. */
    kill(args?: CommandArguments["job.kill"], limits?: Limits): Promise<CommandValue<"job.kill">>;
    /** Sends signal 15 to all jobs that are not protected.. */
    killall(limits?: Limits): Promise<CommandValue<"job.killall">>;
    /** Lists running and queued jobs.. */
    list(args?: CommandArguments["job.list"], limits?: Limits): Promise<CommandValue<"job.list">>;
    /** Stops further runs of a recurring or restarting job; the current run goes on.. */
    unschedule(args?: CommandArguments["job.unschedule"], limits?: Limits): Promise<CommandValue<"job.unschedule">>;
  };
  readonly logger: {
    /** Begins a new log file of jobs; the old one gets the time as suffix. */
    reopen(limits?: Limits): Promise<CommandValue<"logger.reopen">>;
    /** Sets how much the agent writes to its own log. */
    setLevel(args?: CommandArguments["logger.set_level"], limits?: Limits): Promise<CommandValue<"logger.set_level">>;
    /** Feeds the log records of all jobs into a list. */
    subscribe(args?: CommandArguments["logger.subscribe"], limits?: Limits): Promise<CommandValue<"logger.subscribe">>;
    /** Stops feeding a list of log records; the list stays. */
    unsubscribe(args?: CommandArguments["logger.unsubscribe"], limits?: Limits): Promise<CommandValue<"logger.unsubscribe">>;
  };
  /** Takes samples of one domain for the statistics. */
  monitor(args?: CommandArguments["monitor"], limits?: Limits): Promise<CommandValue<"monitor">>;
  readonly net: {
    /** Reads net.toml again and looks for a network from the first method on, in the background. */
    reload(limits?: Limits): Promise<CommandValue<"net.reload">>;
    /** Shows how the network came up, every interface with what was tried on it, and can wait for a change. */
    status(args?: CommandArguments["net.status"], limits?: Limits): Promise<CommandValue<"net.status">>;
  };
  readonly nft: {
    /** Takes back what nft.open_port opened for a TCP port; none is fine. */
    dropPort(args?: CommandArguments["nft.drop_port"], limits?: Limits): Promise<CommandValue<"nft.drop_port">>;
    /** Lists the rules for packets to the node itself. */
    list(limits?: Limits): Promise<CommandValue<"nft.list">>;
    /** Accepts a TCP port until the machine goes down. */
    openPort(args?: CommandArguments["nft.open_port"], limits?: Limits): Promise<CommandValue<"nft.open_port">>;
    /** Tells whether a rule names a TCP port. */
    ruleExists(args?: CommandArguments["nft.rule_exists"], limits?: Limits): Promise<CommandValue<"nft.rule_exists">>;
  };
  readonly pprof: {
    readonly cpu: {
      /** Starts a profile of what the agent computes; it ends by itself after 10 minutes. */
      start(args?: CommandArguments["pprof.cpu.start"], limits?: Limits): Promise<CommandValue<"pprof.cpu.start">>;
      /** Ends the profile of the agent and writes it. */
      stop(limits?: Limits): Promise<CommandValue<"pprof.cpu.stop">>;
    };
    readonly mem: {
      /** Shows how much memory the agent uses, and for what. */
      stat(limits?: Limits): Promise<CommandValue<"pprof.mem.stat">>;
      /** Writes a snapshot of the agent's heap; the agent stands still meanwhile. */
      write(args?: CommandArguments["pprof.mem.write"], limits?: Limits): Promise<CommandValue<"pprof.mem.write">>;
    };
  };
  readonly process: {
    /** Sends a signal to one process. */
    kill(args: CommandArguments["process.kill"], limits?: Limits): Promise<CommandValue<"process.kill">>;
    /** Lists the processes of the operating system, whether or not they are jobs. */
    list(args?: CommandArguments["process.list"], limits?: Limits): Promise<CommandValue<"process.list">>;
  };
  readonly rtinfo: {
    /** Lists the programs that report to rtinfo servers. */
    list(limits?: Limits): Promise<CommandValue<"rtinfo.list">>;
    /** Starts a program that reports to an rtinfo server. */
    start(args?: CommandArguments["rtinfo.start"], limits?: Limits): Promise<CommandValue<"rtinfo.start">>;
    /** Stops a program that reports to an rtinfo server. */
    stop(args?: CommandArguments["rtinfo.stop"], limits?: Limits): Promise<CommandValue<"rtinfo.stop">>;
  };
  readonly socat: {
    /** Lists the port forwards as packet filter text. */
    list(limits?: Limits): Promise<CommandValue<"socat.list">>;
    /** Picks free TCP ports of the node and keeps them reserved for two minutes. */
    reserve(args?: CommandArguments["socat.reserve"], limits?: Limits): Promise<CommandValue<"socat.reserve">>;
  };
  readonly web: {
    /** Downloads a URL to a file, whatever the status of the answer is. */
    download(args?: CommandArguments["web.download"], limits?: Limits): Promise<CommandValue<"web.download">>;
  };
  readonly zerotier: {
    /** Shows the status of the node's ZeroTier service. */
    info(limits?: Limits): Promise<CommandValue<"zerotier.info">>;
    /** Joins a ZeroTier network. */
    join(args: CommandArguments["zerotier.join"], options?: RunOptions): Promise<JobResult>;
    /** Leaves a ZeroTier network; the one of zerotier= is joined again when the agent restarts. */
    leave(args: CommandArguments["zerotier.leave"], options?: RunOptions): Promise<JobResult>;
    /** Lists the ZeroTier networks this node has joined. */
    list(limits?: Limits): Promise<CommandValue<"zerotier.list">>;
  };
}

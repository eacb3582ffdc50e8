/**
 * What a Redis command is to users who may not do everything:
 *
 * * `all`: changes nothing and shows no value;
 * * `values`: shows values of its keys;
 * * `rotate`: puts an element of a list back into the same list;
 * * `take`: takes elements out of lists;
 * * `submit`: adds to a list, which may be that of the jobs to run;
 * * `listen`: subscribes to channels;
 * * `job`: is a job, whose command decides;
 * * `admin`: everything else.
 */
export type DataAccess =
  | "all"
  | "values"
  | "rotate"
  | "take"
  | "submit"
  | "listen"
  | "job"
  | "admin";

const NAMES: Readonly<Record<Exclude<DataAccess, "job">, string>> = {
  all:
    "acl auth client command config dbsize echo exists hello host: info keys lkeyexists llen lttl " +
    "ping post pttl pubsub punsubscribe quit reset scan select ttl type unsubscribe",
  values: "get lindex lrange",
  rotate: "brpoplpush rpoplpush",
  take: "blpop brpop lpop rpop",
  submit: "rpush",
  listen: "psubscribe subscribe",
  admin:
    "blmove decr decrby del expire flushall flushdb incr incrby lmove lpush lrem ltrim persist " +
    "pexpire set unlink",
};

const ACCESSES: ReadonlyMap<string, DataAccess> = new Map(
  Object.entries(NAMES).flatMap(([access, names]) =>
    names.split(" ").map((name): [string, DataAccess] => [name, access as DataAccess]),
  ),
);

/** @returns Undefined for a command nobody has thought about; it is for administrators. */
export const dataAccess = (name: string): DataAccess | undefined => ACCESSES.get(name);

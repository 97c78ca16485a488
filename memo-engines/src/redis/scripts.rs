//! Scripts, which the server runs in one step: no other client changes anything in between.
//!
//! All keys of a script lie in one slot. `stored.rs` describes the fields of a value.

use std::sync::LazyLock;

use ::redis::{Cmd, Value};

use super::failure::Failure;
use super::link::Link;

/// A script. It is sent by its digest, and in full only if the server does not know it.
pub(super) struct Script {
    pub(super) source: String,
    pub(super) digest: String,
}

impl Script {
    fn new(body: &str) -> Self {
        let source = format!("{READ}{body}");
        // the library makes the digest
        let digest = ::redis::Script::new(&source).get_hash().to_owned();
        Self { source, digest }
    }

    /// Runs the script on keys of one slot. The first key chooses the slot. `rest` adds the arguments.
    pub(super) async fn run(
        &self,
        link: &Link,
        keys: &[&String],
        rest: impl Fn(&mut Cmd),
        attempted: &str,
    ) -> Result<bool, Failure> {
        let command = |name: &str, script: &str| {
            let mut command = ::redis::cmd(name);
            command.arg(script).arg(keys.len()).arg(keys);
            rest(&mut command);
            command
        };
        let key = keys.first().map_or("", |key| key.as_str());
        let reply = link.send(&command("EVALSHA", &self.digest), key, attempted).await;
        let reply = match reply {
            Err(failure) if failure.is_unknown_script => {
                link.send(&command("EVAL", &self.source), key, attempted).await
            }
            reply => reply,
        };
        match reply? {
            Value::Int(done) => Ok(done != 0),
            _ => Err(Failure::nonsense(attempted)),
        }
    }
}

/// Defines two functions. `generation` gives the generation under `KEYS[1]`, or nil. `tail` gives the
/// fields of the value under `KEYS[2]`. A key that is no string counts as missing.
const READ: &str = r"
local function generation()
  local held = redis.pcall('GET', KEYS[1])
  if type(held) == 'string' and #held < 16 and string.match(held, '^%d+$') then return tonumber(held) end
end
local function tail()
  local held = redis.pcall('GETRANGE', KEYS[2], -21, -1)
  if type(held) == 'string' and #held == 21 then
    local stamp, of, expires = struct.unpack('<I6I6I8', held)
    return stamp, of, expires, string.sub(held, 21)
  end
  return 0, 0, 0, ''
end
";

/// Stores an entry. `ARGV`: the bytes; the end of the tail; the lifetime in milliseconds; the generation to
/// begin with if there is none, an even number; how long to keep the generation; the witness, or nothing;
/// the channel and the message; the stamp of a put without a witness, and how many milliseconds to remember
/// it.
///
/// A put without a witness was asked for by the program. A result that was computed before must not replace
/// it, so it stamps the entry as a removal does.
///
/// If there was no generation when the witness was taken, the witness holds even if another put has begun
/// one. Generations that a put begins are even; those that a clear begins are odd. A value with a stamp
/// outlives its lifetime for as long as the stamp is to be remembered.
///
/// The first write is one that a server over its memory refuses. After another first write, the server
/// would let all writes of the script pass.
pub(super) static PUT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local current, stamp = generation(), (tail())
if ARGV[6] ~= '' then
  local seen = tonumber(ARGV[6])
  local unchanged = seen == ((current or 0) + stamp) % 281474976710656
  if not (unchanged or (current and current % 2 == 0 and seen == stamp)) then return 0 end
end
local fresh = not current
if fresh then
  current = tonumber(ARGV[4])
  redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[5])
end
local ttl = tonumber(ARGV[3])
if ARGV[6] == '' then
  stamp = tonumber(ARGV[9])
  ttl = math.max(ttl, tonumber(ARGV[10]))
elseif stamp ~= 0 then
  ttl = math.max(ttl, redis.call('PTTL', KEYS[2]))
end
local value = ARGV[1] .. struct.pack('<I6I6', stamp, current) .. ARGV[2]
redis.call('SET', KEYS[2], value, 'PX', string.format('%d', ttl))
if not fresh then redis.call('PEXPIRE', KEYS[1], ARGV[5]) end
redis.pcall('PUBLISH', ARGV[7], ARGV[8])
return 1",
    )
});

/// Removes an entry. Returns whether there was one. `ARGV`: the tombstone; how many milliseconds it stays;
/// the time now; the channel and the message.
///
/// If the server has no memory for a tombstone, it takes no puts either. It can still delete.
pub(super) static REMOVE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local _, of, expires, kind = tail()
local there = kind == 'E' and of == generation() and (expires == 0 or expires > tonumber(ARGV[3]))
local done = redis.pcall('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
if done['err'] then redis.call('DEL', KEYS[2]) end
redis.pcall('PUBLISH', ARGV[4], ARGV[5])
return there and 1 or 0",
    )
});

/// Begins the next generation. `ARGV`: its number, which is odd; how many milliseconds it is kept.
pub(super) static CLEAR: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local done = redis.pcall('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if done['err'] then redis.call('DEL', KEYS[1]) end
return 1",
    )
});

/// Extends a lease. `KEYS[1]` is the lease. `ARGV`: the token; how many milliseconds from now it lasts.
pub(super) static RENEW: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])",
    )
});

/// Gives a lease back. `KEYS[1]` is the lease. `ARGV`: the token.
pub(super) static RELEASE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])",
    )
});

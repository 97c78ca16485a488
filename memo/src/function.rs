//! A memoized function as it runs: who it is, its settings, its store, its flights, its counters.
//!
//! A `static` in generated code ([`Function`]) stands for the function as it was written. Each instantiation, by the type
//! parameters of the function and of the `impl` around it, has a [`Memo`] of its own, made at the first call and kept
//! for good. Generated code finds it through a [`Site`]: attribute macros cannot name the parameters of the `impl`, but
//! the type of a closure written in the body depends on all of them, and is what tells instantiations apart.

use std::any::TypeId;
use std::borrow::Cow;
use std::hash::{BuildHasher, Hash, Hasher};
use std::marker::PhantomData;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use std::time::Duration;

use crate::config;
use crate::error::Error;
use crate::far::{Far, FarTypes};
use crate::flight::Flights;
use crate::flight::graph::Graph;
use crate::flight::patience::{self, Patience};
use crate::key::{OwnedPart, Part};
use crate::near::{Limits, Memory, Near, NewThreads, may_run_user_code};
use crate::outcome::{MaybeNone, Value};
use crate::park::block_on;
use crate::plan::{Plan, Route};
use crate::registry::{self, Clearing, Memoized};
use crate::scope::{Asked, Held, Variants};
use crate::stats::{Counters, Stats};
use crate::versions::Versions;

/// How many entries a function keeps in memory if it does not say.
const DEFAULT_CAPACITY: u64 = 10_000;

/// From how many bytes on a result is kept out of memory, if nothing else is said.
const LARGE: u64 = 1 << 20;

/// A memoized function as it was written: what all its instantiations have in common.
#[derive(Debug)]
pub struct Function {
    module: &'static str,
    name: &'static str,
    /// Its instantiations.
    memos: AtomicPtr<Header>,
    /// Whether it has been said that a future of it was left alone for too long.
    warned: AtomicBool,
}

/// A function that may have several instantiations, and where their code finds them: lists, by bits of what tells the code
/// apart.
#[derive(Debug)]
pub struct Family {
    function: Function,
    signposts: [Signpost; LISTS],
}

const LISTS: usize = 8;

impl Family {
    /// The function `name` of the module `module`.
    pub const fn new(module: &'static str, name: &'static str) -> Self {
        let signposts = [const { Signpost::new() }; LISTS];
        Family { function: Function::new(module, name), signposts }
    }
}

impl std::ops::Deref for Family {
    type Target = Function;

    #[inline(always)]
    fn deref(&self) -> &Function {
        &self.function
    }
}

impl Function {
    /// The function `name` of the module `module`.
    pub(crate) const fn new(module: &'static str, name: &'static str) -> Self {
        let memos = AtomicPtr::new(std::ptr::null_mut());
        Function { module, name, memos, warned: AtomicBool::new(false) }
    }

    /// Its instantiations that have been called.
    pub(crate) fn memos(&'static self) -> impl Iterator<Item = &'static dyn Memoized> {
        registry::all().into_iter().filter(|memo| std::ptr::eq(memo.function(), self))
    }

    /// What all its instantiations have counted.
    pub fn stats(&'static self) -> Stats {
        let mut stats = Stats::default();
        self.memos().for_each(|memo| stats.add(&memo.stats()));
        stats
    }

    /// Drops the entries of all its instantiations.
    ///
    /// # Errors
    ///
    /// If an engine did not do it.
    pub fn clear(&'static self) -> Result<(), Error> {
        block_on(registry::clear(self.memos()))
    }

    /// The same, without blocking the thread.
    ///
    /// # Errors
    ///
    /// If an engine did not do it.
    pub async fn clear_async(&'static self) -> Result<(), Error> {
        registry::clear(self.memos()).await
    }
}

/// What tells one instantiation from the others, and its typed record from memory of another type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    /// The closure that stands for the type parameters.
    marker: TypeId,
    /// Key, value and failure.
    types: TypeId,
}

/// The beginning of each [`Memo`], whatever its types.
#[derive(Debug)]
struct Header {
    identity: Identity,
    next: *mut Header,
}

/// One instantiation of a memoized function, before the types of its key and its results are known.
#[derive(Debug, Clone, Copy)]
pub struct Site {
    function: &'static Function,
    /// None for a function with one instantiation, whose code has a signpost of its own.
    signposts: Option<&'static [Signpost; LISTS]>,
    marker: TypeId,
    settings: fn() -> Settings,
}

/// Stands for whichever instantiation there is, in place of one that a closure stands for.
struct Any;

impl Site {
    /// The instantiation of `family` that the type of the closure `_marker` stands for. `settings` is called once,
    /// at the first call.
    #[inline(always)]
    pub fn new<M: Fn()>(family: &'static Family, _marker: M, settings: fn() -> Settings) -> Self {
        let Family { function, signposts } = family;
        Site { function, signposts: Some(signposts), marker: typeid::of::<M>(), settings }
    }

    /// The one instantiation of `function`, for which `marker` stands.
    pub(crate) fn single(function: &'static Function, marker: TypeId, settings: fn() -> Settings) -> Self {
        Site { function, signposts: None, marker, settings }
    }

    /// The same, of whichever instantiation.
    pub fn any(self) -> Self {
        Site { marker: TypeId::of::<Any>(), ..self }
    }

    /// The function that it is an instantiation of.
    pub fn function(&self) -> &'static Function {
        self.function
    }

    /// Where its results live, and why; also before its first call.
    pub fn plan(&self) -> Plan {
        self.planned(|settings, name| crate::far::route::<(), ()>(settings, name, None))
    }

    /// The same, where `typed` tells of the types, which the strategy wants to know. It is none, ever.
    #[cfg(feature = "engines")]
    pub fn plan_of<T: crate::far::Typed>(&self, _typed: Option<T>) -> Plan {
        self.planned(|settings, name| crate::far::route_by(settings, name, Some(&T::profiles())))
    }

    fn planned(&self, route: impl FnOnce(&Settings, &str) -> Route) -> Plan {
        let called = self
            .function
            .memos()
            .find(|memo| self.marker == TypeId::of::<Any>() || memo.marker() == self.marker);
        called.map_or_else(
            || {
                let settings = (self.settings)();
                let name = registry::name(self.function.module, self.function.name, &settings);
                route(&config::settings(&name, &settings), &name).plan
            },
            Memoized::plan,
        )
    }

    #[inline(always)]
    pub(crate) fn marker(&self) -> TypeId {
        self.marker
    }

    /// The record of the site that every `S` gives, if the code that calls this has come by before.
    #[inline(always)]
    pub(crate) fn usual_memo<S: Fn() -> Self, K: OwnedPart, V: Value, F: Value>(
        site: &S,
    ) -> Option<&'static Memo<K, V, F>> {
        Code::of::<S>().signed(site().signposts?)
    }

    /// The record, whoever has come by; from now on this code finds it.
    pub(crate) fn memo_by<K: OwnedPart, V: Value, F: Value>(
        self,
        code: Code<K, V, F>,
        hooks: &dyn Fn() -> Hooks<K, V>,
    ) -> &'static Memo<K, V, F> {
        let memo = self.memo(hooks);
        if let Some(signposts) = self.signposts {
            code.sign(signposts, memo);
        }
        memo
    }

    /// Its record.
    pub(crate) fn memo<K: OwnedPart, V: Value, F: Value>(
        self,
        hooks: &dyn Fn() -> Hooks<K, V>,
    ) -> &'static Memo<K, V, F> {
        let identity = Identity { marker: self.marker, types: TypeId::of::<(K, V, F)>() };
        match record::find(self.function.memos.load(Ordering::Acquire), &identity) {
            Some(memo) => memo,
            None => self.make(identity, hooks),
        }
    }

    #[cold]
    #[inline(never)]
    fn make<K: OwnedPart, V: Value, F: Value>(
        self,
        identity: Identity,
        hooks: &dyn Fn() -> Hooks<K, V>,
    ) -> &'static Memo<K, V, F> {
        let function = self.function;
        crate::trace::register();
        #[cfg(feature = "config")]
        let generation = config::generation();
        // the author's expressions run here, where nothing is locked
        let author = (self.settings)();
        let memo = Memo::<K, V, F>::new(function, identity, author, None, hooks(), Counters::new(), &GRAPH);
        memo.route.say_missing(&memo.name);
        let mut all = registry::lock();
        // another thread may have been faster
        let first = function.memos.load(Ordering::Acquire);
        if let Some(memo) = record::find(first, &identity) {
            return memo;
        }
        let memo = record::publish(Box::new(memo), &function.memos, first);
        all.push(memo);
        drop(all);
        crate::sweep::register(&memo.near);
        memo.follow(memo);
        // a reload while it was being made has not found it
        #[cfg(feature = "config")]
        if config::generation() != generation {
            memo.reconfigure();
        }
        // nor has something of the same name
        #[cfg(feature = "engines")]
        memo.tell_apart();
        memo
    }
}

/// The types of arguments that are written `impl Trait`, which have no names.
#[derive(Debug)]
pub struct Told<T>(PhantomData<fn() -> T>);

impl<T> Clone for Told<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Told<T> {}

/// Those of `_arguments`.
#[inline(always)]
pub fn told<T>(_arguments: &T) -> Told<T> {
    Told(PhantomData)
}

/// Finds whatever key has a hash.
struct Anything;

impl<K> crate::near::Lookup<K> for Anything {
    fn matches(&self, _: &K) -> bool {
        true
    }
}

/// The lists of records that differ in type: where a [`Header`] is taken for the [`Memo`] that it begins.
#[allow(unsafe_code)]
mod record {
    use super::*;

    /// The record with `identity` in the list that begins at `first`.
    #[inline(always)]
    pub(super) fn find<K: OwnedPart, V: Value, F: Value>(
        first: *mut Header,
        identity: &Identity,
    ) -> Option<&'static Memo<K, V, F>> {
        let mut at = first;
        while !at.is_null() {
            // SAFETY: what is in a list has been put there by `publish`: it points at a leaked `Memo`, never written
            // to since through this pointer, and its header is at its beginning (`repr(C)`). Loaded with `Acquire`
            // after a `Release` store, or, `next`, written before that.
            let header = unsafe { &*at };
            if header.identity == *identity {
                debug_assert_eq!(header.identity.types, TypeId::of::<(K, V, F)>());
                // SAFETY: as above; and the type is the one it was made with, since `identity.types` is the `TypeId`
                // of its three parameters, which are `'static` and so differ in nothing that a `TypeId` leaves out.
                return Some(unsafe { &*at.cast::<Memo<K, V, F>>() });
            }
            at = header.next;
        }
        None
    }

    /// Puts `memo` before `first`, in the list `memos`. The caller holds the registry's lock.
    pub(super) fn publish<K: OwnedPart, V: Value, F: Value>(
        mut memo: Box<Memo<K, V, F>>,
        memos: &AtomicPtr<Header>,
        first: *mut Header,
    ) -> &'static Memo<K, V, F> {
        memo.header.next = first;
        let memo = Box::into_raw(memo);
        memos.store(memo.cast::<Header>(), Ordering::Release);
        // SAFETY: leaked above, so it lives for good; only shared references are made of it from here on.
        unsafe { &*memo }
    }

    /// Where code finds its record: by the address of a function that tells it from all other code, which is one comparison
    /// where a `TypeId` is four. It is no more than a shortcut: a compiler may make several copies of a function,
    /// each of which then has a signpost of its own.
    #[derive(Debug)]
    pub(crate) struct Signpost {
        /// A [`tells_apart`], or null.
        code: AtomicPtr<()>,
        /// The record, of the types that are named there. Written before `code`.
        memo: AtomicPtr<()>,
        next: AtomicPtr<Signpost>,
    }

    impl Signpost {
        pub(crate) const fn new() -> Self {
            let [code, memo] = [const { AtomicPtr::new(std::ptr::null_mut()) }; 2];
            Signpost { code, memo, next: AtomicPtr::new(std::ptr::null_mut()) }
        }

        /// The next one in its list, if there is one.
        fn next(&self) -> Option<&'static Signpost> {
            // SAFETY: null, or leaked by `put_up` and shared since.
            unsafe { self.next.load(Ordering::Acquire).as_ref() }
        }

        /// The one for this code, of those behind it in its list.
        fn after(&self, code: *mut ()) -> Option<&'static Signpost> {
            let mut at = self.next();
            while let Some(signpost) = at {
                if signpost.code.load(Ordering::Acquire) == code {
                    return at;
                }
                at = signpost.next();
            }
            None
        }

        /// Puts one up for this code, to this record, in the list that begins here, unless there is one.
        fn put_up(&'static self, code: *mut (), memo: *mut ()) {
            let _one_at_a_time = registry::lock();
            let mut at = self;
            loop {
                let there = at.code.load(Ordering::Acquire);
                if there.is_null() {
                    at.memo.store(memo, Ordering::Relaxed);
                    return at.code.store(code, Ordering::Release);
                }
                if there == code {
                    return;
                }
                at = match at.next() {
                    Some(next) => next,
                    None => {
                        let new: &'static Signpost = Box::leak(Box::new(Signpost::new()));
                        at.next.store(std::ptr::from_ref(new).cast_mut(), Ordering::Release);
                        new
                    }
                };
            }
        }

        /// # Safety
        ///
        /// It has been put up for code of these types.
        #[inline(always)]
        unsafe fn memo<K: OwnedPart, V: Value, F: Value>(&self) -> &'static Memo<K, V, F> {
            let memo = self.memo.load(Ordering::Relaxed).cast::<Memo<K, V, F>>();
            // SAFETY: a reference to one, as `put_up` has written it before `code`, which the caller has seen.
            unsafe {
                std::hint::assert_unchecked(!memo.is_null());
                &*memo
            }
        }
    }

    /// A function of these types that does not do what the one of other types does. As one address cannot do both, the
    /// addresses differ, whatever a linker folds.
    fn tells_apart<S, K: OwnedPart, V: Value, F: Value>() -> (TypeId, TypeId) {
        (typeid::of::<S>(), TypeId::of::<(K, V, F)>())
    }

    /// Code that looks for a record of these types: what tells it apart from all other code, and in which list it looks.
    #[derive(Debug)]
    pub(crate) struct Code<K, V, F> {
        /// Of its [`tells_apart`].
        address: *mut (),
        list: usize,
        types: PhantomData<fn(K, V, F)>,
    }

    impl<K: OwnedPart, V: Value, F: Value> Code<K, V, F> {
        /// The code that has the site `S`.
        #[inline(always)]
        pub(crate) fn of<S>() -> Self {
            let function: fn() -> (TypeId, TypeId) = tells_apart::<S, K, V, F>;
            Code { address: function as *mut (), list: list(typeid::of::<S>()), types: PhantomData }
        }

        /// The record that there is a signpost to, for this code.
        #[inline(always)]
        pub(super) fn signed(&self, lists: &'static [Signpost; LISTS]) -> Option<&'static Memo<K, V, F>> {
            self.signed_from(&lists[self.list])
        }

        /// The same, in the list that begins here.
        #[inline(always)]
        pub(crate) fn signed_from(&self, first: &'static Signpost) -> Option<&'static Memo<K, V, F>> {
            // in nearly all programs it is the first, which is a constant, too
            let signpost = match first.code.load(Ordering::Acquire) == self.address {
                true => first,
                false => first.after(self.address)?,
            };
            // SAFETY: it has been put up for that very function, and so for these types.
            Some(unsafe { signpost.memo() })
        }

        /// Puts up a signpost to `memo`, for this code.
        pub(super) fn sign(self, lists: &'static [Signpost; LISTS], memo: &'static Memo<K, V, F>) {
            let first = &lists[self.list];
            self.sign_from(first, memo);
        }

        /// The same, in the list that begins here.
        pub(crate) fn sign_from(self, first: &'static Signpost, memo: &'static Memo<K, V, F>) {
            first.put_up(self.address, std::ptr::from_ref(memo).cast_mut().cast());
        }
    }

    /// The list to look into. All constants, so that this is one as well in optimized code.
    #[inline(always)]
    fn list(code: TypeId) -> usize {
        struct Last(u64);
        impl Hasher for Last {
            #[inline(always)]
            fn write(&mut self, bytes: &[u8]) {
                self.0 = bytes.first().copied().unwrap_or(0).into();
            }
            #[inline(always)]
            fn write_u64(&mut self, bits: u64) {
                self.0 = bits;
            }
            #[inline(always)]
            fn finish(&self) -> u64 {
                self.0
            }
        }
        let mut last = Last(0);
        code.hash(&mut last);
        last.finish() as usize % LISTS
    }
}

pub(crate) use record::{Code, Signpost};

// SAFETY: `next` is written before the header is shared and only read after.
unsafe impl Send for Header {}
// SAFETY: as above.
unsafe impl Sync for Header {}

/// What a function's author has set, where it does not depend on the types of its key and its results.
#[derive(Debug, Clone)]
pub struct Settings {
    pub(crate) owner: Option<&'static str>,
    pub(crate) name: Option<&'static str>,
    pub(crate) version: u64,
    #[cfg(feature = "engines")]
    pub(crate) is_async: bool,
    /// The engines asked for, nearest first; `None` leaves them to the strategy.
    pub(crate) engine: Option<Vec<Cow<'static, str>>>,
    /// Whether they stay on the thread that computed them, whatever else is asked for.
    pub(crate) on_thread: bool,
    /// What stands in while those that outlive the process are unavailable; `None` is the default.
    pub(crate) fallback: Option<Vec<Cow<'static, str>>>,
    #[cfg(feature = "engines")]
    pub(crate) hints: Hints,
    /// A result of more bytes than this is kept only in engines that outlive the process, so that one does not push
    /// many small ones out of memory.
    pub(crate) large_over: u64,
    pub(crate) ttl: Option<Duration>,
    pub(crate) tti: Option<Duration>,
    pub(crate) error_ttl: Option<Duration>,
    pub(crate) capacity: Option<u64>,
    /// The author has said how many or how heavy.
    #[cfg(feature = "config")]
    pub(crate) bounded: bool,
    pub(crate) max_weight: Option<u64>,
    pub(crate) ttl_of: bool,
    /// `None` where nothing is said, which is [`SingleFlight::Process`].
    pub(crate) single_flight: Option<SingleFlight>,
    /// `None` where nothing is said, which is [`OnError::One`].
    pub(crate) on_error: Option<OnError>,
    /// How long to wait for a future that nobody polls; `None` is the default.
    pub(crate) patience: Option<Duration>,
    /// Whether anything is looked for and stored at all.
    #[cfg(feature = "config")]
    pub(crate) enabled: bool,
    /// Whether its keys are shown in events and spans, where that is said.
    #[cfg(any(feature = "config", feature = "tracing"))]
    pub(crate) log_keys: Option<bool>,
    /// The type parameters, as far as engines that outlive the process need to know.
    #[cfg(feature = "engines")]
    pub(crate) parameters: String,
    /// Which of them has no name that lasts, in words.
    #[cfg(feature = "engines")]
    pub(crate) nameless: Option<String>,
    /// The path of a closure in the function, where that stands in the `impl` of a trait.
    #[cfg(feature = "engines")]
    pub(crate) implementation: Option<&'static str>,
    /// Where the function stands, if its results may outlive the process.
    #[cfg(feature = "engines")]
    pub(crate) origin: Option<crate::far::Origin>,
    /// A digest of the function's tokens; 0 where edits are not tracked.
    #[cfg(feature = "engines")]
    pub(crate) code: u64,
    #[cfg(feature = "engines")]
    /// None where the author names none.
    pub(crate) codec: Option<crate::far::Codec>,
}

/// How far concurrent misses of one key share one computation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum SingleFlight {
    /// They do not.
    Off,
    #[default]
    Process,
    /// The processes of this machine.
    #[cfg(any(feature = "engines", feature = "config"))]
    Machine,
    /// Those of all machines that use the same engine.
    #[cfg(any(feature = "engines", feature = "config"))]
    Fleet,
}

/// What those who waited do after an error that cannot be cloned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum OnError {
    /// One of them computes, the others wait for that one.
    #[default]
    One,
    /// All compute.
    All,
}

/// What the author hints at, for the strategy.
#[cfg(feature = "engines")]
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Hints {
    pub(crate) persist: bool,
    pub(crate) shared: bool,
    pub(crate) large: bool,
}

impl Settings {
    /// All at their defaults.
    #[inline(never)]
    pub fn new() -> Self {
        Settings {
            owner: None,
            name: None,
            version: 0,
            #[cfg(feature = "engines")]
            is_async: false,
            engine: None,
            on_thread: false,
            fallback: None,
            #[cfg(feature = "engines")]
            hints: Hints::default(),
            large_over: LARGE,
            ttl: None,
            tti: None,
            error_ttl: None,
            capacity: Some(DEFAULT_CAPACITY),
            #[cfg(feature = "config")]
            bounded: false,
            max_weight: None,
            ttl_of: false,
            single_flight: None,
            on_error: None,
            patience: None,
            #[cfg(feature = "config")]
            enabled: true,
            #[cfg(any(feature = "config", feature = "tracing"))]
            log_keys: None,
            #[cfg(feature = "engines")]
            parameters: String::new(),
            #[cfg(feature = "engines")]
            nameless: None,
            #[cfg(feature = "engines")]
            implementation: None,
            #[cfg(feature = "engines")]
            origin: None,
            #[cfg(feature = "engines")]
            code: 0,
            #[cfg(feature = "engines")]
            codec: None,
        }
    }

    /// The type whose method it is, by `type_name::<Self>()`.
    pub fn owner(mut self, owner: &'static str) -> Self {
        self.owner = Some(owner);
        self
    }

    /// `name`.
    pub fn name(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// `version`.
    pub fn version(mut self, version: u64) -> Self {
        self.version = version;
        self
    }

    /// It is an `async fn`.
    #[cfg(feature = "engines")]
    pub fn asynchronous(mut self) -> Self {
        self.is_async = true;
        self
    }

    /// `engine`, nearest first.
    pub fn engines(mut self, names: &[&'static str]) -> Self {
        self.engine = Some(names.iter().copied().map(Cow::Borrowed).collect());
        self
    }

    /// `engine = "thread"`.
    pub fn on_thread(mut self) -> Self {
        self.on_thread = true;
        self
    }

    /// `fallback`; none at all for `"none"`.
    #[cfg(feature = "engines")]
    pub fn fallback(mut self, names: &[&'static str]) -> Self {
        self.fallback = Some(names.iter().copied().map(Cow::Borrowed).collect());
        self
    }

    /// `persist`, `shared`, `large`.
    #[cfg(feature = "engines")]
    pub fn hints(mut self, persist: bool, shared: bool, large: bool) -> Self {
        self.hints = Hints { persist, shared, large };
        self
    }

    /// `ttl`.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// `tti`.
    pub fn tti(mut self, tti: Duration) -> Self {
        self.tti = Some(tti);
        self
    }

    /// `cache_err = "10s"`.
    pub fn error_ttl(mut self, ttl: Duration) -> Self {
        self.error_ttl = Some(ttl);
        self
    }

    /// `capacity`.
    pub fn capacity(mut self, capacity: impl Count) -> Self {
        self.capacity = Some(capacity.count());
        self.bounded()
    }

    /// `capacity = "unbounded"`.
    pub fn unbounded(mut self) -> Self {
        self.capacity = None;
        self.bounded()
    }

    /// `max_weight`, which replaces the capacity.
    pub fn max_weight(mut self, weight: impl Count) -> Self {
        (self.max_weight, self.capacity) = (Some(weight.count()), None);
        self.bounded()
    }

    #[cfg_attr(not(feature = "config"), allow(unused_mut, reason = "only the configuration asks"))]
    fn bounded(mut self) -> Self {
        #[cfg(feature = "config")]
        (self.bounded = true);
        self
    }

    /// `ttl_of` is given.
    pub fn ttl_of(mut self) -> Self {
        self.ttl_of = true;
        self
    }

    /// `single_flight = false`.
    pub fn no_single_flight(mut self) -> Self {
        self.single_flight = Some(SingleFlight::Off);
        self
    }

    /// `single_flight = "process"`.
    pub fn one_per_process(mut self) -> Self {
        self.single_flight = Some(SingleFlight::Process);
        self
    }

    /// `single_flight = "machine"`.
    #[cfg(feature = "engines")]
    pub fn one_per_machine(mut self) -> Self {
        self.single_flight = Some(SingleFlight::Machine);
        self
    }

    /// `single_flight = "fleet"`.
    #[cfg(feature = "engines")]
    pub fn one_per_fleet(mut self) -> Self {
        self.single_flight = Some(SingleFlight::Fleet);
        self
    }

    /// `on_error`: `"all"`, or `"one"`.
    pub fn all_on_error(mut self, all: bool) -> Self {
        self.on_error = Some(if all { OnError::All } else { OnError::One });
        self
    }

    /// `patience`.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// `patience = "never"`.
    pub fn endless_patience(self) -> Self {
        self.patience(patience::WITHOUT_END)
    }

    /// How long to wait for a future that nobody polls.
    pub(crate) fn patient_for(&self) -> Duration {
        self.patience.unwrap_or(patience::DEFAULT)
    }

    /// The type parameters: what each is called, and its type's name.
    #[cfg(feature = "engines")]
    pub fn parameters(mut self, types: &[(&str, &'static str)], consts: &[&dyn std::fmt::Debug]) -> Self {
        let names: Vec<_> = types.iter().map(|(_, name)| name).collect();
        self.parameters = format!("{names:?}{consts:?}");
        self.nameless = types
            .iter()
            .find(|(_, name)| crate::far::is_nameless(name))
            .map(|(parameter, name)| format!("its type parameter `{parameter}` is `{name}`"));
        self
    }

    /// Something about its types has no name that lasts.
    #[cfg(feature = "engines")]
    pub fn nameless(mut self, why: &str) -> Self {
        self.nameless = Some(why.to_owned());
        self
    }

    /// The path of a closure in the function, by [`path_of`](crate::__private::path_of), where arguments are written `impl
    /// Trait`: these are the type parameters in it.
    #[cfg(feature = "engines")]
    pub fn told(mut self, path: &'static str) -> Self {
        let types = path.trim_end_matches("::{{closure}}");
        self.parameters += types;
        if crate::far::is_nameless(types) {
            self.nameless = Some(format!("its `impl Trait` arguments are of the types in `{types}`"));
        }
        self
    }

    /// The path of a closure in the function, by [`path_of`](crate::__private::path_of): of which trait it is.
    #[cfg(feature = "engines")]
    pub fn implementation(mut self, path: &'static str) -> Self {
        self.implementation = Some(path);
        self
    }

    /// Where it stands.
    #[cfg(feature = "engines")]
    pub fn origin(mut self, origin: crate::far::Origin) -> Self {
        self.origin = Some(origin);
        self
    }

    /// `code = "track"`: a digest of the function's tokens.
    #[cfg(feature = "engines")]
    pub fn code(mut self, code: u64) -> Self {
        self.code = code;
        self
    }

    /// `codec`.
    #[cfg(feature = "engines")]
    pub fn codec(mut self, codec: crate::far::Codec) -> Self {
        self.codec = Some(codec);
        self
    }

    /// Whether anything is looked for and stored at all.
    pub(crate) fn enabled(&self) -> bool {
        #[cfg(feature = "config")]
        return self.enabled;
        #[cfg(not(feature = "config"))]
        true
    }

    fn limits(&self) -> Limits {
        Limits {
            capacity: self.capacity,
            max_weight: self.max_weight,
            tti: self.tti,
            lifetimes: self.expires(),
        }
    }

    /// Whether a record by these can serve for one by those of `other`: results live in the same engines, and what the
    /// configuration says is the same.
    pub(crate) fn keeps_as(&self, other: &Self) -> bool {
        #[cfg(feature = "config")]
        if config::shown(self) != config::shown(other) {
            return false;
        }
        (&self.engine, &self.fallback) == (&other.engine, &other.fallback)
    }

    pub(crate) fn expires(&self) -> bool {
        self.ttl.is_some() || self.tti.is_some() || self.error_ttl.is_some() || self.ttl_of
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::new()
    }
}

/// Integers that can say how many.
#[diagnostic::on_unimplemented(
    message = "a capacity or weight must be an unsigned integer, not `{Self}`",
    label = "expected `u64`, `usize` or another unsigned integer"
)]
pub trait Count {
    /// How many, at most `u64::MAX`.
    fn count(self) -> u64;
}

macro_rules! counts {
    ($($int:ty)*) => {$(
        impl Count for $int {
            fn count(self) -> u64 {
                u64::try_from(self).unwrap_or(u64::MAX)
            }
        }
    )*};
}
counts!(u8 u16 u32 u64 usize u128);

/// `weigh`.
pub(crate) type Weigh<K, V> = fn(&K, &V) -> u32;
/// `ttl_of`.
pub(crate) type TtlOf<V> = fn(&V) -> Option<Duration>;

/// What a function's author has set that looks at keys and results.
#[derive(Debug)]
pub struct Hooks<K, V> {
    pub(crate) weigh: Option<Weigh<K, V>>,
    pub(crate) ttl_of: Option<TtlOf<V>>,
    pub(crate) cache_if: Option<fn(&V) -> bool>,
    pub(crate) skip: Option<fn(&V) -> bool>,
    #[cfg(feature = "tracing")]
    pub(crate) show: Option<crate::trace::Show<K>>,
    pub(crate) far: Option<FarTypes<K, V>>,
    /// Makes the near store of a function whose results stay on their threads.
    pub(crate) by_thread: Option<NewThreads<K, V>>,
}

impl<K, V> Clone for Hooks<K, V> {
    fn clone(&self) -> Self {
        Hooks { far: self.far.clone(), ..*self }
    }
}

impl<K, V> Hooks<K, V> {
    /// Whether what is stored, how long and how heavy depends on the result.
    fn choose(&self) -> bool {
        self.weigh.is_some() || self.ttl_of.is_some() || self.cache_if.is_some() || self.skip.is_some()
    }

    pub(crate) fn new() -> Self {
        Hooks {
            weigh: None,
            ttl_of: None,
            cache_if: None,
            skip: None,
            #[cfg(feature = "tracing")]
            show: None,
            far: None,
            by_thread: None,
        }
    }

    /// `weigh`.
    pub fn weigh(mut self, weigh: Weigh<K, V>) -> Self {
        self.weigh = Some(weigh);
        self
    }

    /// `ttl_of`.
    pub fn ttl_of(mut self, ttl_of: TtlOf<V>) -> Self {
        self.ttl_of = Some(ttl_of);
        self
    }

    /// `cache_if`.
    pub fn cache_if(mut self, cache_if: fn(&V) -> bool) -> Self {
        self.cache_if = Some(cache_if);
        self
    }

    /// How keys and results become bytes, for engines that outlive the process.
    #[cfg(feature = "engines")]
    pub fn far(mut self, key: fn() -> crate::far::KeyType<K>, value: fn() -> crate::far::ValueType<V>) -> Self
    where
        K: 'static,
        V: 'static,
    {
        self.far = Some(FarTypes::named(key(), value()));
        self
    }

    /// The types that these hooks are for.
    #[cfg(feature = "engines")]
    pub fn types(&self) -> crate::far::Types<K, V> {
        crate::far::Types::NEW
    }

    /// How keys and results become bytes, as far as they can, should the strategy want them to.
    #[cfg(feature = "engines")]
    pub fn able<A, B, C>(mut self, (key, value, parts): (A, B, C)) -> Self
    where
        K: 'static,
        V: 'static,
        A: crate::far::KeyBytes<K>,
        B: crate::far::ValueBytes<V>,
        C: crate::far::KeyParts<K>,
    {
        self.far = Some(FarTypes::probed(key, value, parts));
        self
    }

    /// Whether results can be compared, said after [`far`](Self::far) or [`able`](Self::able).
    #[cfg(feature = "engines")]
    pub fn equal<D: crate::far::ValueEqual<V>>(mut self, equal: D) -> Self
    where
        K: 'static,
        V: 'static,
    {
        self.far = self.far.map(|far| far.comparing(equal));
        self
    }

    /// The type of keys that these hooks are for.
    #[cfg(feature = "tracing")]
    pub fn keys(&self) -> crate::trace::Keys<K> {
        crate::trace::Keys::NEW
    }

    /// How keys are shown, if they can be.
    #[cfg(feature = "tracing")]
    pub fn shown(mut self, shown: crate::trace::Shown<K>) -> Self {
        self.show = shown.0;
        self
    }

    /// `cache_none = false`.
    pub fn skip_none(mut self) -> Self
    where
        V: MaybeNone,
    {
        self.skip = Some(V::is_none);
        self
    }
}

/// One instantiation of a memoized function.
#[repr(C)]
pub(crate) struct Memo<K: OwnedPart, V: Value, F: Value> {
    header: Header,
    pub(crate) near: Near<K, V>,
    hasher: foldhash::fast::RandomState,
    pub(crate) counters: Counters,
    pub(crate) flights: Flights<K, V, F>,
    versions: Versions<Version<K, V>>,
    /// What its author has set, which the configuration goes over.
    #[cfg(feature = "config")]
    author: Settings,
    hooks: Hooks<K, V>,
    /// What it keeps beside, under scopes.
    pub(crate) variants: Variants<K, V, F>,
    /// Whether code of the user's can run while a result is looked for or stored.
    pub(crate) runs_user_code: bool,
    function: &'static Function,
    name: String,
}

/// For whom the leader of a flight computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leads {
    /// For all who ask for the key.
    All,
    /// For itself, as the others do (`single_flight = false`).
    Alone,
}

/// What a reload of the configuration replaces, as one.
pub(crate) struct Version<K, V> {
    pub(crate) settings: Settings,
    route: Route,
    pub(crate) far: Option<Far<K, V>>,
    /// See [`Memo::is_plain`].
    plain: bool,
    /// How a miss leads a flight where there is nothing else to ask or look for; None where there may be.
    pub(crate) leads: Option<Leads>,
}

impl<K, V: 'static> Version<K, V> {
    /// That of the instantiation that `marker` stands for, of the function called `name`.
    #[cfg_attr(not(feature = "engines"), allow(unused_mut, unused_variables, reason = "engines have names"))]
    fn new(settings: Settings, hooks: &Hooks<K, V>, name: &str, marker: TypeId) -> Self {
        let types = hooks.far.as_ref();
        let mut route = crate::far::route(&settings, name, types);
        #[cfg(feature = "engines")]
        if !route.far.is_empty() && crate::far::claim(&settings, name, marker) {
            route = crate::far::route(&settings, name, types);
        }
        let plain = settings.enabled()
            && settings.ttl.is_none()
            && settings.error_ttl.is_none()
            && settings.max_weight.is_none()
            && !hooks.choose();
        let far = Far::open(&settings, &route, types, name);
        let leads = (far.is_none() && settings.enabled()).then_some(match settings.single_flight {
            Some(SingleFlight::Off) => Leads::Alone,
            _ => Leads::All,
        });
        Version { far, route, plain, leads, settings }
    }
}

/// `memo.settings` and `memo.far` are the current ones.
impl<K: OwnedPart, V: Value, F: Value> std::ops::Deref for Memo<K, V, F> {
    type Target = Version<K, V>;

    #[inline]
    fn deref(&self) -> &Version<K, V> {
        self.versions.current()
    }
}

impl<K: OwnedPart, V: Value, F: Value> std::fmt::Debug for Memo<K, V, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memo")
            .field("name", &self.name)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// How a value is to be stored.
pub(crate) struct Storage {
    pub(crate) weight: u32,
    pub(crate) lifetime: Option<Duration>,
}

/// Says that a call of the function `name` was not polled for so long. For all types, so that it is compiled here.
#[cold]
#[inline(never)]
fn warn_of_impatience(name: &str, patience: Duration) {
    let bound = crate::plan::show(patience);
    crate::warn::warn(&format!(
        "`{name}`: a call that was computing has not been polled for longer than {bound}, and another computes in its \
         place: poll its future to the end or drop it (a `select!` over `&mut future` keeps the loser); if it only \
         waits so long for something else, give the function more `patience`",
    ));
}

static GRAPH: LazyLock<Graph> = LazyLock::new(Graph::default);

impl<K: OwnedPart, V: Value, F: Value> Memo<K, V, F> {
    fn new(
        function: &'static Function,
        identity: Identity,
        author: Settings,
        scoped: Option<Settings>,
        hooks: Hooks<K, V>,
        counters: Counters,
        graph: &'static Graph,
    ) -> Self {
        let name = registry::name(function.module, function.name, &author);
        let settings = scoped.unwrap_or_else(|| config::settings(&name, &author).into_owned());
        let first = Version::new(settings, &hooks, &name, identity.marker);
        let callbacks = hooks.weigh.is_some() || hooks.ttl_of.is_some() || hooks.cache_if.is_some();
        Memo {
            runs_user_code: callbacks
                || may_run_user_code::<K>()
                || may_run_user_code::<V>()
                || may_run_user_code::<F>(),
            header: Header { identity, next: std::ptr::null_mut() },
            near: Near::new(first.route.kind, &first.settings.limits(), hooks.by_thread),
            hasher: foldhash::fast::RandomState::default(),
            counters,
            flights: Flights::new(graph),
            versions: Versions::new(first),
            variants: Variants::new(),
            #[cfg(feature = "config")]
            author,
            name,
            hooks,
            function,
        }
    }

    /// A record in no list, for models of it.
    #[cfg(all(test, memo_shuttle))]
    pub(crate) fn model(graph: &'static Graph) -> &'static Self {
        Self::model_by(Settings::new(), graph)
    }

    /// The same, by these settings.
    #[cfg(all(test, memo_shuttle))]
    pub(crate) fn model_by(author: Settings, graph: &'static Graph) -> &'static Self {
        static FUNCTION: Function = Function::new("models", "model");
        let identity = Identity { marker: TypeId::of::<()>(), types: TypeId::of::<(K, V, F)>() };
        let hooks = Hooks::new();
        Box::leak(Box::new(Memo::new(&FUNCTION, identity, author, None, hooks, Counters::new(), graph)))
    }

    /// A record in no list, for results that this function keeps elsewhere. It counts where this one counts.
    pub(crate) fn variant(&self, settings: Settings) -> &'static Self {
        let Header { identity, .. } = self.header;
        let (function, counters, hooks) = (self.function, self.counters.same(), self.hooks.clone());
        let graph = self.flights.graph();
        #[cfg(feature = "config")]
        let author = self.author.clone();
        #[cfg(not(feature = "config"))]
        let author = settings.clone();
        Box::leak(Box::new(Memo::new(function, identity, author, Some(settings), hooks, counters, graph)))
    }

    #[inline(always)]
    pub(crate) fn hash<P: Part>(&self, key: &P) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        key.hash_part(&mut hasher);
        hasher.finish()
    }

    /// Has entries in memory go as others change what the engines behind it hold.
    pub(crate) fn follow(&'static self, version: &Version<K, V>) {
        if let Some(far) = &version.far {
            far.follow(|changed| match changed {
                Some(hash) => drop(self.near.remove(hash, &Anything)),
                None => self.near.clear(),
            });
        }
    }

    /// Whether a reload has replaced `version`.
    pub(crate) fn has_changed(&self, version: &Version<K, V>) -> bool {
        !std::ptr::eq(self.versions.current(), version)
    }

    /// Whether it uses engines that outlive the process, though something else has its name there.
    pub(crate) fn is_refused(&self) -> bool {
        #[cfg(feature = "engines")]
        return self.far.is_some() && crate::far::is_refused(&self.settings);
        #[cfg(not(feature = "engines"))]
        false
    }

    /// Whether a result goes into memory: one of so many bytes, where they are known; `failed` is whether the engines
    /// that outlive the process are out of reach, or cannot take it.
    pub(crate) fn goes_near(&self, failed: bool, size: Option<usize>) -> bool {
        let Version { settings, route, .. } = &**self;
        let large = size.is_some_and(|size| size as u64 > settings.large_over);
        (route.near && !large) || (failed && route.standby)
    }

    /// The store in memory, if a result goes there and nowhere else, and the store can tell that it was superseded.
    #[inline]
    pub(crate) fn only_store(&self) -> Option<&Memory<K, V>> {
        let version = &**self;
        if version.far.is_none() && version.route.near { self.near.built_in() } else { None }
    }

    /// How long a call waits for a future that nobody polls.
    pub(crate) fn patience(&'static self) -> Option<Patience> {
        Patience::new(self.settings.patient_for(), &self.counters)
    }

    /// Takes note that a call has not waited any longer for one.
    pub(crate) fn is_impatient(&self) {
        self.counters.impatient();
        if self.function.warned.swap(true, Ordering::Relaxed) {
            return;
        }
        warn_of_impatience(&self.name, self.settings.patient_for());
    }

    /// Whether memory only stands in for engines that outlive the process.
    pub(crate) fn stands_in(&self) -> bool {
        !self.route.near
    }

    /// What the store in memory is called.
    pub(crate) fn near_name(&self) -> &'static str {
        crate::plan::name(self.route.kind)
    }

    /// How keys are shown, where the function shows them and somebody wants to see them.
    #[cfg(feature = "tracing")]
    fn shows(&self) -> Option<crate::trace::Show<K>> {
        let shows = |_: &_| self.settings.log_keys.unwrap_or_else(crate::trace::are_shown);
        self.hooks.show.filter(shows).filter(|_| crate::trace::shows_keys())
    }

    /// The key in words, where it is shown.
    #[cfg(feature = "tracing")]
    pub(crate) fn shown<P: Part<Owned = K>>(&self, key: &P) -> Option<String> {
        self.shows()?;
        self.shown_of(&key.to_owned_part())
    }

    /// The same, of an owned key.
    #[cfg(feature = "tracing")]
    pub(crate) fn shown_of(&self, key: &K) -> Option<String> {
        let show = self.shows()?;
        let mut shown = None;
        crate::event::caught(|| shown = Some(show(key)));
        shown
    }

    /// It never is.
    #[cfg(not(feature = "tracing"))]
    pub(crate) fn shown<P: Part<Owned = K>>(&self, _: &P) -> Option<String> {
        None
    }

    /// It never is.
    #[cfg(not(feature = "tracing"))]
    pub(crate) fn shown_of(&self, _: &K) -> Option<String> {
        None
    }

    /// Whether every result is stored, with weight 1 and no lifetime, where nothing else is asked of the call.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.versions.current().plain
    }

    /// How `value` is to be stored, if it is. `ttl` stands in place of the setting.
    #[inline(always)]
    pub(crate) fn storage(
        &self,
        key: &K,
        value: &V,
        is_error: bool,
        ttl: Option<Duration>,
    ) -> Option<Storage> {
        if self.versions.current().plain && ttl.is_none() {
            return Some(Storage { weight: 1, lifetime: None });
        }
        self.storage_in_full(key, value, is_error, ttl)
    }

    #[inline(never)]
    fn storage_in_full(&self, key: &K, value: &V, is_error: bool, ttl: Option<Duration>) -> Option<Storage> {
        if !self.settings.enabled() {
            return None;
        }
        if self.hooks.skip.is_some_and(|skip| skip(value)) {
            return None;
        }
        if self.hooks.cache_if.is_some_and(|cache_if| !cache_if(value)) {
            return None;
        }
        let own = match (is_error, self.settings.error_ttl) {
            (true, Some(ttl)) => Some(ttl),
            _ => self.hooks.ttl_of.and_then(|ttl_of| ttl_of(value)),
        };
        let lifetime = own.or(ttl).or(self.settings.ttl);
        if lifetime == Some(Duration::ZERO) {
            return None;
        }
        let weight = self.hooks.weigh.map_or(1, |weigh| weigh(key, value));
        if self.settings.max_weight.is_some_and(|most| u64::from(weight) > most) {
            return None;
        }
        Some(Storage { weight, lifetime })
    }
}

impl<K: OwnedPart, V: Value, F: Value> Memo<K, V, F> {
    /// What its stores count.
    fn own_stats(&self) -> Stats {
        let counts = self.near.counts();
        Stats {
            entries: counts.entries,
            weight: counts.weight,
            evicted: counts.evicted,
            expired: counts.expired,
            recomputed: counts.recomputed,
            tiers: self.far.as_ref().map(Far::stats).unwrap_or_default(),
            ..Stats::default()
        }
    }
}

#[cfg(any(feature = "config", feature = "engines"))]
impl<K: OwnedPart, V: Value, F: Value> Memo<K, V, F> {
    /// Goes by these settings from now on.
    fn replace(&'static self, settings: Settings) {
        let marker = self.header.identity.marker;
        let next = Version::new(settings.clone(), &self.hooks, &self.name, marker);
        next.route.say_missing(&self.name);
        self.follow(&next);
        let is_far = next.far.is_some();
        let same =
            |known: &Version<K, V>| known.far.is_some() == is_far && known.settings.keeps_as(&settings);
        drop(self.versions.replace(next, same));
        // they go by what was until now; the next that is asked for is made anew
        self.variants.retire();
    }

    /// Drops what is in memory, and what is being computed is not stored.
    fn begin_anew(&self) {
        self.flights.supersede_all();
        self.near.clear();
    }
}

impl<K: OwnedPart, V: Value, F: Value> Memoized for Memo<K, V, F> {
    fn name(&self) -> &str {
        &self.name
    }

    fn function(&self) -> &'static Function {
        self.function
    }

    fn marker(&self) -> TypeId {
        self.header.identity.marker
    }

    fn stats(&self) -> Stats {
        let mut stats = self.own_stats();
        // what they count beside, they count here
        self.variants.shared().iter().for_each(|(variant, _)| stats.add(&variant.own_stats()));
        stats.add(&Stats::of(&self.counters));
        stats
    }

    fn clear(&'static self) -> Vec<Clearing> {
        let place = Asked::of(&self.name).unwrap_or_default().place;
        let held = place.to_clear(self);
        for (memo, _) in &held {
            // there are no flights where each thread has a table of its own
            if memo.near.by_thread().is_none() {
                memo.flights.supersede_all();
            }
            memo.near.clear();
        }
        let clear = |(memo, lease): Held<K, V, F>| {
            let clearings = memo.far.as_ref().map(Far::clear).unwrap_or_default();
            clearings.into_iter().map(move |clearing| clearing.holding(lease.clone()))
        };
        held.into_iter().flat_map(clear).collect()
    }

    fn leave(&self, realm: u64) {
        self.variants.leave(realm);
    }

    fn plan(&self) -> Plan {
        let Version { settings, route, far, .. } = &**self;
        let place = Asked::of(&self.name).unwrap_or_default().place;
        if let Some(settings) = place.settings(settings) {
            return crate::far::route(&settings, &self.name, self.hooks.far.as_ref()).plan;
        }
        match far {
            Some(far) => far.plan(route),
            None => route.plan.clone(),
        }
    }

    #[cfg(feature = "config")]
    fn settings(&self) -> (&Settings, &Settings) {
        (&self.author, &self.versions.current().settings)
    }

    #[cfg(feature = "engines")]
    fn tell_apart(&'static self) {
        let version = self.versions.current();
        if let Some(far) = version.far.as_ref().filter(|_| self.is_refused()) {
            // nobody knows whose it is
            far.abandon();
            self.replace(version.settings.clone());
            self.begin_anew();
        }
    }

    #[cfg(feature = "config")]
    fn reconfigure(&'static self) -> Vec<config::Change> {
        config::reconfigure(&self.name, &self.author, self)
    }
}

#[cfg(feature = "config")]
impl<K: OwnedPart, V: Value, F: Value> config::Configured for Memo<K, V, F> {
    fn is_possible(&self, settings: &Settings) -> bool {
        crate::far::route(settings, &self.name, self.hooks.far.as_ref()).kind == self.near.kind()
    }

    fn uses_memory(&self) -> bool {
        self.route.near
    }

    fn go_by(&'static self, settings: Settings) {
        let before = self.versions.current();
        self.replace(settings);
        let follows = |version: &Version<K, V>| version.far.as_ref().is_some_and(Far::follows);
        if follows(self) && !follows(before) {
            // nobody would tell of what is there, or on its way there
            self.begin_anew();
        }
    }

    fn goes_by(&self) -> &Settings {
        &self.settings
    }

    fn resize(&self, settings: &Settings) -> bool {
        self.near.resize(&settings.limits())
    }

    fn empty(&self) {
        self.begin_anew();
    }
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use std::convert::Infallible;

    use super::*;

    static FUNCTION: Family = Family::new("tests", "function");

    type Record<K> = &'static Memo<K, u64, Infallible>;

    fn site<const N: usize>() -> Site {
        Site::new(&FUNCTION, || (), Settings::new)
    }

    fn usual<S: Fn() -> Site, K: OwnedPart>(site: &S) -> Option<Record<K>> {
        Site::usual_memo(site)
    }

    fn come_by<S: Fn() -> Site, K: OwnedPart>(site: &S) -> Record<K> {
        site().memo_by(Code::of::<S>(), &Hooks::new)
    }

    /// What the code of an instantiation finds: the same each time, once it has come by. Miri gives a function another address now
    /// and then, as a compiler may that makes copies of it.
    fn found<S: Fn() -> Site, K: OwnedPart>(site: &S) -> Record<K> {
        let record = come_by::<S, K>(site);
        assert!(usual(site).map_or(cfg!(miri), |usual| std::ptr::eq::<Memo<K, _, _>>(usual, record)));
        record
    }

    /// Of this and the next instantiations: all that their code finds, by two ways each.
    fn all<const N: usize>() -> [usize; 2] {
        let (one, other) = (|| site::<N>(), || site::<N>());
        let records = [found::<_, u64>(&one), found::<_, u64>(&other)];
        records.map(|record| std::ptr::from_ref(record).addr())
    }

    #[test]
    fn each_instantiation_finds_its_record_whatever_code_looks_for_it() {
        macro_rules! instantiations {
            ($($n:literal)*) => { [$(all::<$n>),*] };
        }
        // more than there are lists
        let all =
            instantiations!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29);
        let before = all.map(|of| of());
        let distinct: std::collections::HashSet<_> = before.iter().map(|[one, _]| one).collect();
        assert_eq!(distinct.len(), all.len());
        assert!(before.iter().all(|[one, other]| one == other), "two pieces of code, one record");
        assert_eq!(all.map(|of| of()), before, "and when there are many");
    }

    #[test]
    fn a_record_is_never_taken_for_one_of_other_types() {
        let site = || site::<1000>();
        let numbers = found::<_, u64>(&site);
        assert!(usual::<_, String>(&site).is_none());
        let texts = found::<_, String>(&site);
        assert_ne!(std::ptr::from_ref(numbers).addr(), std::ptr::from_ref(texts).addr());
        assert!(std::ptr::eq(found::<_, u64>(&site), numbers));
    }

    #[test]
    fn threads_that_come_by_together_find_one_record() {
        let barrier = std::sync::Barrier::new(4);
        let records = std::thread::scope(|scope| {
            let come = || {
                barrier.wait();
                std::ptr::from_ref(found::<_, u64>(&|| site::<2000>())).addr()
            };
            [(); 4].map(|()| scope.spawn(come)).map(|thread| thread.join().unwrap())
        });
        assert!(records.iter().all(|record| *record == records[0]));
    }
}

//! Wrong configurations, and what is said about them: to be read as the one who has to mend it would.
//!
//! After a change that is meant: `INSTA_UPDATE=always cargo test -p memo --features config --test config wrong`.

use memo::Config;

/// What [`memo::init`] says about a file.
fn said(text: impl AsRef<[u8]>) -> String {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("memo.toml");
    crate::child::write_to(&path, text);
    let error = memo::init(Config::new().file(&path)).expect_err("it is wrong");
    error.to_string().replace(&format!("{}/", place.path().display()), "")
}

macro_rules! wrong_files {
    ($($(#[$meta:meta])* $name:ident: $text:literal;)*) => {$(
        $(#[$meta])*
        #[test]
        fn $name() {
            insta::with_settings!({ description => $text, omit_expression => true, prepend_module_to_snapshot => false }, {
                insta::assert_snapshot!(stringify!($name), said($text));
            });
        }
    )*};
}

wrong_files! {
    unknown_section: "[default]\ncapacity = 5\n";
    stale_without_a_unit: "[functions.'app::*']\nstale = 30\n";
    refresh_ahead_of_more_than_all: "[defaults]\nrefresh_ahead = 1.5\n";
    refresh_ahead_as_a_percentage: "[defaults]\nrefresh_ahead = '80%'\n";
    jitter_as_a_number: "[defaults]\njitter = 10\n";
    jitter_of_all: "[defaults]\njitter = '100%'\n";
    no_thread_renews: "[defaults]\nrenewal_threads = 0\n";
    threads_of_functions: "[functions.'app::*']\nrenewal_threads = 4\n";
    threads_outside_of_a_section: "renewal_threads = 4\n";
    unknown_section_unlike_any: "[logging]\nlevel = 'debug'\n";
    engine_of_a_section_misspelled: "[engine.disk]\npath = '/var/cache'\n";
    engine_and_section_misspelled: "[engine.dsik]\npath = '/var/cache'\n";
    engine_as_a_section: "[disk]\npath = '/var/cache'\n";
    functions_of_a_section_misspelled: "[function.'app::*']\nttl = '5s'\n";
    option_outside_of_a_section: "capacity = 5\n";
    section_as_a_value: "defaults = 5\n";
    functions_as_an_array: "[[functions]]\nname = 'app::rates'\nttl = '30s'\n";
    engines_as_a_value: "engines = 'disk'\n";
    option_of_the_attribute: "[functions.'app::rates']\nversion = 2\n";
    unknown_option: "[defaults]\ncapcity = 5\n";
    unknown_option_unlike_any: "[defaults]\ncompression = true\n";
    option_with_a_dash: "[defaults]\nmax-weight = '1MiB'\n";
    capacity_as_text: "[defaults]\ncapacity = '5'\n";
    capacity_of_nothing: "[defaults]\ncapacity = 0\n";
    capacity_below_nothing: "[defaults]\ncapacity = -5\n";
    capacity_with_a_fraction: "[defaults]\ncapacity = 1.5\n";
    capacity_too_large: "[defaults]\ncapacity = 99999999999999999999999999999999999999999999\n";
    duration_without_a_unit: "[defaults]\nttl = 30\n";
    duration_without_a_unit_as_text: "[defaults]\nttl = '30'\n";
    duration_with_another_unit: "[functions.'app::rates::*']\nttl = '5min'\n";
    duration_with_a_space: "[functions.'app::rates::*']\nttl = '1h 30m'\n";
    duration_as_a_time: "[defaults]\ntti = 07:32:00\n";
    size_with_another_unit: "[engines.disk]\nmax_size = '2G'\n";
    switch_as_text: "[functions.'app::*']\nenabled = 'yes'\n";
    switch_as_a_number: "[functions.'app::*']\nenabled = 1\n";
    #[cfg(all(feature = "disk", feature = "moka"))]
    unknown_engine: "[defaults]\nengine = 'memori'\n";
    #[cfg(all(feature = "disk", feature = "moka"))]
    unknown_engine_unlike_any: "[defaults]\nengine = 'postgres'\n";
    engine_without_its_name: "[defaults]\nengine = []\n";
    engine_twice: "[defaults]\nengine = ['memory', 'memory']\n";
    #[cfg(all(feature = "disk", feature = "moka"))]
    memory_behind_an_engine: "[defaults]\nengine = ['moka', 'memory']\n";
    auto_among_others: "[defaults]\nengine = ['memory', 'auto']\n";
    #[cfg(all(feature = "disk", feature = "moka"))]
    unknown_engine_section: "[engines.dsik]\npath = '/var/cache'\n";
    options_of_memory: "[engines.memory]\ncapacity = 5\n";
    unknown_option_of_an_engine: "[engines.disk]\npth = '/var/cache'\n";
    path_as_a_number: "[engines.disk]\npath = 5\n";
    path_for_a_shell: "[engines.disk]\npath = '~/.cache/app'\n";
    budget_of_nothing: "[engines.disk]\nbudget = '0ms'\n";
    budget_without_a_unit: "[engines.disk]\nbudget = 250\n";
    path_of_nothing: "[engines.disk]\npath = ''\n";
    address_as_a_table: "[engines.redis]\nurl = { host = 'cache', password = 'secret' }\n";
    address_of_a_web_page: "[engines.redis]\nurl = 'https://app:secret@cache.internal'\n";
    address_without_a_scheme: "[engines.redis]\nurl = 'app:secret@cache:6379'\n";
    address_of_nothing: "[engines.redis]\nurl = 'redis://'\n";
    address_as_a_number: "[engines.redis]\nurl = 6379\n";
    single_flight_of_hosts: "[defaults]\nsingle_flight = 'hosts'\n";
    patience_of_nothing: "[defaults]\npatience = '0s'\n";
    patience_without_a_unit: "[defaults]\npatience = 10\n";
    patience_for_ever: "[defaults]\npatience = 'forever'\n";
    on_error_of_some: "[defaults]\non_error = 'some'\n";
    #[cfg(not(feature = "engines"))]
    single_flight_without_engines: "[defaults]\nsingle_flight = 'machine'\n";
    function_without_quotes: "[functions.app.rates]\nttl = '30s'\n";
    function_with_colons_without_quotes: "[functions.app::rates]\nttl = '30s'\n";
    function_as_a_value: "[functions]\n'app::rates' = '30s'\n";
    text_without_its_end: "[defaults]\nttl = '30s\n";
    key_given_twice: "[defaults]\nttl = '30s'\nttl = '40s'\n";
    section_given_twice: "[defaults]\nttl = '30s'\n[defaults]\ntti = '30s'\n";
    /// All at once, each with its line.
    many_mistakes: "[defaults]\ncapacity = 'many'\nttl = 5\n\n[engines.disk]\nbudget = '20 ms'\n\n[function.'app::*']\nttl = '1s'\n";
}

#[test]
fn not_a_text() {
    insta::assert_snapshot!(said([b'a', 0xff]), @r"
    the configuration is wrong
      memo.toml: the file is not UTF-8 text
    ");
}

#[test]
fn mistakes_in_code_name_its_line() {
    let line = line!() + 2;
    let config = Config::new()
        .defaults("capacity", "much")
        .engine("dsik", "path", "/var/cache")
        .toml("[defaults]\ntll = 5");
    let error = memo::init(config).unwrap_err();
    let places: Vec<_> = error.problems().iter().map(|problem| problem.origin().to_string()).collect();
    assert_eq!(places, [line, line + 1, line + 3].map(|line| format!("{}:{line}", file!())), "{error}");
}

in_children! {
    /// What is built in is registered as it is first used, and stays one engine.
    #[cfg(all(feature = "disk", feature = "redis", feature = "moka"))]
    fn each_engine_is_named_once(|setting| setting.variable("MEMO_ENGINES__DISK__PATH", "disk")) {
        #[memo::memoize(engine = "disk")]
        fn square(n: u64) -> u64 {
            n * n
        }
        square(2);
        let wrong = memo::init(Config::new().defaults("engine", "postgres")).unwrap_err();
        let there = "there are `memory`, `moka`, `disk`, `redis`; register one of your own before `memo::init`";
        assert!(wrong.problems()[0].message().ends_with(there), "{wrong}");
    }

    #[cfg(all(feature = "disk", feature = "moka"))]
    fn mistakes_in_the_environment_name_the_variable(|setting| {
        setting
            .variable("MEMO_DEFAULTS__CAPCITY", "5")
            .variable("MEMO_DEFAULTS__TTL", "5")
            .variable("MEMO_DEFAULT__TTL", "5s")
            .variable("MEMO_DEFAULTS", "5")
            .variable("MEMO_ENGINES__DISK", "/var/cache")
            .variable("MEMO_ENGINES__DSIK__PATH", "/var/cache")
            .variable("MEMO_FUNCTIONS__APP__TTL", "5s")
            .variable("MEMO_FUNCTIONS", "{ 'app::*' = { ttl = '5sec' } }")
            .variable("MEMO_ELSEWHERE__CAPACITY", "somebody else's")
            .variable("MEMO_TITLE", "somebody else's")
            .variable("MEMO_SERVICE_HOST", "of a service called memo")
            .variable("MEMO_PORT_80_TCP", "tcp://10.0.0.1:80")
            .variable("MEMO_CONFG", "memo.toml")
            .variable("MEMO_DEFAULTS_CAPACITY", "5")
            .variable("MEMO_ENGINE__DISK__PATH", "/var/cache")
            .variable("MEMO_REDIS_URL", "redis://host")
            .variable("MEMO_FUNCTION", "{}")
            .variable("MEMO_TTL", "5s")
    }) {
        let error = memo::init(Config::new()).unwrap_err();
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!("environment", error.to_string());
        });
    }
}

//! Configurations that are large.

use std::time::{Duration, Instant};

use memo::Config;

/// Far above what it takes where each section is looked at once, and far below what it takes where each is compared
/// with all others.
const HANGS: Duration = Duration::from_secs(60);

in_children! {
    fn many_sections_are_read_in_one_pass(|setting| setting) {
        const SECTIONS: usize = 40_000;
        let text: String = (0..SECTIONS).map(|n| format!("[functions.f{n}]\nttl = '{}s'\n", n + 1)).collect();
        let began = Instant::now();
        memo::init(Config::new().toml(text)).unwrap();
        let line = line!() - 1;
        let config = memo::config();
        assert!(began.elapsed() < HANGS, "{:?}", began.elapsed());
        let last = config.get("functions.\"f39999\".ttl").unwrap();
        let origin = format!("{}:{}", file!(), line + 2 * SECTIONS as u32 - 1);
        assert_eq!((last.value(), last.origin().to_string()), ("11h6m40s", origin));
        assert_eq!(config.unused_patterns().len(), SECTIONS);
    }

    /// Each mistake is found on its line without the lines being counted anew.
    fn many_mistakes_are_told_in_one_pass(|setting| setting) {
        const MISTAKES: usize = 40_000;
        let text: String = (0..MISTAKES).map(|n| format!("[functions.f{n}]\nttl = 1\n")).collect();
        let began = Instant::now();
        let wrong = memo::init(Config::new().toml(text)).unwrap_err();
        assert!(began.elapsed() < HANGS, "{:?}", began.elapsed());
        assert_eq!(wrong.problems().len(), MISTAKES);
    }
}
